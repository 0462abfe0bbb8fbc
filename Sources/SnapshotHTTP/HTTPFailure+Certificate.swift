import CLibCurl
import Glibc
import SnapshotBase

/// Failures because of a client certificate that is unusable, refused or missing. Servers report them by TLS alerts,
/// which libcurl provides only as OpenSSL's text.
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
    /// Alerts that may have another cause if no client certificate was sent.
    private static let ambiguousAlerts = ["alert handshake failure", "alert decrypt error"]

    /// nil if the failure has another cause.
    init?(_ certificate: ClientCertificate?, _ code: CURLcode, _ words: String) {
        func wordsContain(_ text: String) -> Bool { words[...].range(of: text) != nil }
        // libcurl replaces the alert for an expired certificate by this text.
        let isExpired = code == CURLE_PEER_FAILED_VERIFICATION && words == "SSL certificate verification failed"
        let isOurs = certificate != nil && (isExpired || Self.ambiguousAlerts.contains(where: wordsContain))
        let why = Self.alerts.first { wordsContain($0.0) }?.1 ?? (isOurs ? "it refuses the client certificate" : nil)
        guard why != nil || code == CURLE_SSL_CERTPROBLEM else { return nil }
        self.init(
            kind: .certificate,
            why: certificate?.flaw ?? why ?? "the client certificate can't be used: \(ForeignText(words))")
    }
}

extension TLSHandshake {
    /// Why the server closes an idle connection, if that is because of the client certificate. In TLS 1.3 the alert
    /// comes after the handshake; during a transfer libcurl is already sending by then and reports only a broken
    /// connection.
    package func certificateFailure(trusting trust: TLSTrust) -> HTTPFailure? {
        do throws(HTTPFailure) {
            return alert(on: try connection(trusting: trust))
        } catch {
            if error.kind == .certificate { return error }
            // The connection was closed between the handshake and libcurl's next check of it.
            guard error.why[...].range(of: "getpeername") != nil else { return nil }
            return closedWithoutAlert
        }
    }

    /// The failure for a connection that was closed without an alert. The network may be the cause as well, so the
    /// certificate is blamed for certain only if it is invalid.
    private var closedWithoutAlert: HTTPFailure {
        if let flaw = certificate?.flaw { return HTTPFailure(kind: .certificate, why: flaw) }
        let demand = certificate == nil ? "wants a client certificate" : "refuses the client certificate"
        let why = "it closes the connection after the TLS handshake; perhaps it \(demand) (HTTP_CLIENT_CERT)"
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
            guard code == CURLE_AGAIN else { return HTTPFailure(certificate, code, words) ?? closedWithoutAlert }
        }
        return nil
    }
}
