import CLibCurl
import Glibc
import SnapshotBase

/// Failures detected by this program rather than by libcurl.
extension HTTPFailure {
    static let bodyTooLarge = HTTPFailure(kind: .tooLarge, why: "the answer is too large")
    static let headerTooLarge = HTTPFailure(kind: .lost, why: "the answer's headers or trailers have no end")
    static let multipart = HTTPFailure(kind: .endless, why: "the answer is a stream of pictures without end")
    static let tooManyResponses = HTTPFailure(kind: .lost, why: "it keeps sending interim answers")
    static let tooManyChallenges = HTTPFailure(kind: .refused, why: "it asks for the credentials again and again")
    static let weakerLogin = HTTPFailure(
        kind: .refused, why: "it has offered a Digest login, and now asks for the password in the clear")
    static let askedToEnd = HTTPFailure(kind: .lost, why: "a stop was requested before the answer came")
}

extension HTTPFailure {
    /// The failure of a transfer that libcurl ended with `code` and its error text `words`, which may be empty.
    /// - Parameter number: the `errno` of the last system call; 0 if none failed.
    init(_ code: CURLcode, _ words: String, errno number: Int, certificate: ClientCertificate?) {
        var why = words.isEmpty ? String(cString: shim_easy_strerror(code)) : words
        if code == CURLE_COULDNT_CONNECT, number > 0 { why = String(cString: strerror(Int32(clamping: number))) }
        // libcurl reports a header line over 100 KiB as a lack of memory.
        if code == CURLE_OUT_OF_MEMORY { why = "a line of the answer's header is too long" }
        if Self.areAny(["HTTP/0.9"], in: words) { why = "what answers on this port doesn't speak HTTP" }
        if let status = words[...].range(of: "CONNECT tunnel failed, response ").map({ words[$0.upperBound...] }) {
            self.init(
                kind: .proxy,
                why: "the proxy doesn't reach it: it answers CONNECT with HTTP status \(ForeignText(String(status)))")
        } else if code == CURLE_SSL_CONNECT_ERROR, Self.isNoTLS(words) {
            self.init(kind: .noTLS, why: "what answers on this port doesn't speak TLS")
        } else if let failure = HTTPFailure(certificate, code, words) {
            self = failure
        } else if code == CURLE_SSL_CONNECT_ERROR, Self.isOldTLS(words) {
            self.init(kind: .oldTLS, why: "it speaks only an old version of TLS (\(ForeignText(why)))")
        } else {
            self.init(kind: Kind(code), why: "\(ForeignText(why))")
            isPortClosed = code == CURLE_COULDNT_CONNECT && number == Int(ECONNREFUSED)
            isAboutLength = Self.areAny(["Invalid Content-Length"], in: words)
        }
    }
}

extension HTTPFailure {
    /// libcurl has the same code for all failed handshakes, so the text of OpenSSL or GnuTLS has to be examined.
    private static func isNoTLS(_ words: String) -> Bool {
        areAny(["wrong version number", "unexpected TLS packet", "packet length too long"], in: words)
    }

    private static func isOldTLS(_ words: String) -> Bool {
        areAny(["unsupported protocol", "alert protocol version", "unsupported version", "legacy sigalg"], in: words)
    }

    private static func areAny(_ phrases: [String], in words: String) -> Bool {
        phrases.contains { words[...].range(of: $0) != nil }
    }
}

extension HTTPFailure.Kind {
    fileprivate init(_ code: CURLcode) {
        self =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST: .unresolved
            case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: .proxy
            case CURLE_COULDNT_CONNECT: .unreachable
            case CURLE_OPERATION_TIMEDOUT: .timedOut
            case CURLE_SSL_PINNEDPUBKEYNOTMATCH: .pinMismatch
            case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
                CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
                .tls
            case CURLE_PARTIAL_FILE: .cutShort
            case CURLE_URL_MALFORMAT: .invalid
            default: .lost
            }
    }
}
