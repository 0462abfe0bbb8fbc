import CLibCurl
import Glibc
import SnapshotBase

/// A client certificate that can't be used, is refused, or is missing, in plain words. A server tells by an alert of TLS, of
/// which libcurl has OpenSSL's text alone.
extension HTTPFailure {
    private static let alerts = [
        ("alert certificate required", "it wants a client certificate"),
        ("alert certificate expired", "it says that the client certificate has expired"),
        ("alert certificate revoked", "it says that the client certificate is revoked"),
        ("alert unknown ca", "it doesn't know the authority of the client certificate"),
        ("alert bad certificate", "it refuses the client certificate"),
        ("alert certificate unknown", "it refuses the client certificate"),
        ("alert unsupported certificate", "it doesn't take client certificates of this kind"),
        ("alert access denied", "it refuses the client certificate"),
    ]
    /// Those that may mean something else where no certificate was shown.
    private static let ambiguousAlerts = ["alert handshake failure", "alert decrypt error"]

    /// Nil where the failure is about something else.
    init?(_ certificate: ClientCertificate?, _ code: CURLcode, _ words: String) {
        func hold(_ text: String) -> Bool { words[...].range(of: text) != nil }
        // libcurl's words for the alert that tells of an expired one.
        let isExpired = code == CURLE_PEER_FAILED_VERIFICATION && words == "SSL certificate verification failed"
        let isOurs = certificate != nil && (isExpired || Self.ambiguousAlerts.contains(where: hold))
        let why = Self.alerts.first { hold($0.0) }?.1 ?? (isOurs ? "it refuses the client certificate" : nil)
        guard why != nil || code == CURLE_SSL_CERTPROBLEM else { return nil }
        self.init(
            kind: .certificate,
            why: certificate?.flaw ?? why ?? "the client certificate can't be used: \(ForeignText(words))")
    }
}

extension TLSHandshake {
    /// Why the server ends a connection on which nothing is asked, if it does so for the client certificate. In TLS 1.3 it
    /// tells after the handshake, and libcurl, which is sending by then, only sees the connection break.
    package func certificateFailure(trusting trust: TLSTrust) -> HTTPFailure? {
        do throws(HTTPFailure) {
            return alert(on: try connection(trusting: trust))
        } catch {
            if error.kind == .certificate { return error }
            // Gone between the handshake and libcurl's next look at it.
            guard error.why[...].range(of: "getpeername") != nil else { return nil }
            return goneAtOnce
        }
    }

    /// Nobody says why, so it may be the line as well: only a certificate that is no good is surely to blame.
    private var goneAtOnce: HTTPFailure {
        if let flaw = certificate?.flaw { return HTTPFailure(kind: .certificate, why: flaw) }
        let demand = certificate == nil ? "wants a client certificate" : "refuses the client certificate"
        let why = "it ends the connection behind the TLS handshake, as a server does that \(demand) (HTTP_CLIENT_CERT)"
        return HTTPFailure(kind: .lost, why: why)
    }

    private func alert(on handle: EasyHandle) -> HTTPFailure? {
        let easy = handle.pointer
        var socket = curl_socket_t(-1)
        guard shim_get_socket(easy, &socket) == CURLE_OK, socket >= 0 else { return nil }
        while !deadline.hasPassed {
            var ready = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard retrying({ poll(&ready, 1, Int32(clamping: deadline.millisecondsLeft)) }) > 0 else { return nil }
            var (byte, count): (UInt8, Int) = (0, 0)
            let (code, words) = withWords(of: easy) { shim_easy_recv(easy, &byte, 1, &count) }
            if code == CURLE_OK { return nil }
            guard code == CURLE_AGAIN else { return HTTPFailure(certificate, code, words) ?? goneAtOnce }
        }
        return nil
    }
}
