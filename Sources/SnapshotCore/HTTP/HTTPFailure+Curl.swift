import CLibCurl
import Glibc
import SnapshotBase

extension HTTPTransfer {
    /// Why an answer is broken off on this side.
    enum Refusal {
        /// Its body is over the limit.
        case tooLarge
        /// Its headers or trailers have no end.
        case tooMuchHeader
        /// A stream of pictures, which has no end.
        case multipart
        /// Challenge after challenge.
        case tooManyAnswers
        /// It goes on asking for credentials that it has got.
        case tooManyChallenges
        /// It asks for Basic behind Digest.
        case weakerLogin
        /// The program has no more time for it.
        case askedToEnd
    }
}

extension HTTPFailure {
    /// A transfer that libcurl ended with `code`.
    /// - Parameters:
    ///   - words: what it wrote about that; may be empty.
    ///   - number: the error of the last system call, if it was one.
    ///   - refusal: why the answer was broken off on this side.
    ///   - body: what had arrived of the answer.
    init(_ code: CURLcode, _ words: String, errno number: Int, refusal: HTTPTransfer.Refusal?, body: [UInt8]) {
        var why = words.isEmpty ? String(cString: shim_easy_strerror(code)) : words
        if code == CURLE_COULDNT_CONNECT, number > 0 { why = String(cString: strerror(Int32(clamping: number))) }
        // What libcurl has no memory for is a line of the header over 100 KiB.
        if code == CURLE_OUT_OF_MEMORY { why = "a line of the answer's header is too long" }
        switch refusal {
        case .tooLarge: self.init(kind: .tooLarge, why: why)
        case .tooMuchHeader: self.init(kind: .lost, why: "the answer's headers or trailers have no end")
        case .multipart: self.init(kind: .endless, why: "the answer is a stream of pictures without end")
        case .tooManyAnswers: self.init(kind: .lost, why: "it begins to answer again and again")
        case .tooManyChallenges: self.init(kind: .refused, why: "it asks for the credentials again and again")
        case .weakerLogin:
            self.init(kind: .refused, why: "it has offered a Digest login, and now asks for the password itself")
        case .askedToEnd: self.init(kind: .lost, why: "this program was asked to end before the answer came")
        case nil where code == CURLE_SSL_CONNECT_ERROR && Self.isNoTLS(words):
            self.init(kind: .noTLS, why: "what answers on this port doesn't speak TLS")
        case nil: self.init(kind: Kind(code), why: "\(ForeignText(why))", body: body)
        }
    }
}

extension HTTPFailure {
    /// libcurl has one code for every failed handshake, so only OpenSSL's and GnuTLS's words tell.
    private static func isNoTLS(_ words: String) -> Bool {
        ["wrong version number", "unexpected TLS packet", "packet length too long"].contains {
            words[...].range(of: $0) != nil
        }
    }
}

extension HTTPFailure.Kind {
    fileprivate init(_ code: CURLcode) {
        self =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved
            case CURLE_COULDNT_CONNECT: .unreachable
            case CURLE_OPERATION_TIMEDOUT: .timedOut
            case CURLE_SSL_PINNEDPUBKEYNOTMATCH: .pinMismatch
            case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
                CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
                .tls
            case CURLE_PARTIAL_FILE: .cutShort
            case CURLE_URL_MALFORMAT: .invalid
            default: .lost
            }
    }
}
