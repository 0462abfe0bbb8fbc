import CLibCurl
import SnapshotBase

/// A TLS connection that libcurl makes and then leaves alone: nothing is asked of the server over it, and no login sent.
package struct TLSHandshake {
    let host: TLSHost
    let connectTimeout: Duration
    let deadline: Deadline

    /// The client's, if it has one.
    let certificate: ClientCertificate?

    package init(host: TLSHost, connectTimeout: Duration, deadline: Deadline, certificate: ClientCertificate? = nil) {
        self.host = host
        self.certificate = certificate
        self.connectTimeout = connectTimeout
        self.deadline = deadline
    }

    /// The server's public key, whoever it is: `sha256//…`.
    package func key() throws(HTTPFailure) -> String {
        let handle = try connection(trusting: .anybody)
        guard let pin = withExtendedLifetime(handle, { seenPin(handle.pointer) }) else {
            throw HTTPFailure(kind: .tls, why: "its certificate can't be read")
        }
        return pin
    }

    /// The connection, which lives as long as its handle.
    package func connection(trusting trust: TLSTrust) throws(HTTPFailure) -> EasyHandle {
        var request = HTTPRequest("GET", "https://\(host)/", deadline: deadline)
        (request.trust, request.usesProxy, request.connectTimeout) = (trust, false, connectTimeout)
        request.certificate = certificate
        guard !deadline.hasPassed else { throw HTTPFailure(kind: .timedOut, why: "no time was left") }
        // A handle of its own, and with it the connection, which nobody may use for more.
        let handle = try EasyHandle()
        let easy = handle.pointer
        request.set(on: easy)
        _ = shim_set_long(easy, CURLOPT_CONNECT_ONLY, 1)
        if trust == .anybody { _ = shim_set_long(easy, CURLOPT_CERTINFO, 1) }
        // RTSP has no name in ALPN, and some servers insist on one of theirs.
        _ = shim_set_long(easy, CURLOPT_SSL_ENABLE_ALPN, 0)
        let (code, words) = withWords(of: easy) { shim_easy_perform(easy) }
        guard code == CURLE_OK else {
            var number = 0
            _ = shim_get_long(easy, CURLINFO_OS_ERRNO, &number)
            var failure = HTTPFailure(code, words, errno: number, certificate: certificate)
            if failure.kind == .timedOut { failure.kind = .unconnected }
            throw failure
        }
        return handle
    }

    /// The code that `work` comes to, and libcurl's words about it; may be empty.
    func withWords(of easy: UnsafeMutableRawPointer, _ work: () -> CURLcode) -> (code: CURLcode, words: String) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { text in
            text.initialize(repeating: 0)
            _ = shim_set_pointer(easy, CURLOPT_ERRORBUFFER, text.baseAddress)
            let code = work()
            _ = shim_set_pointer(easy, CURLOPT_ERRORBUFFER, nil)
            return (code, text.baseAddress.map { String(cString: $0) } ?? "")
        }
    }

    /// The public key in the certificate that the server showed.
    private func seenPin(_ easy: UnsafeMutableRawPointer) -> String? {
        var found: UnsafeMutablePointer<curl_certinfo>?
        guard shim_get_certificates(easy, &found) == CURLE_OK, let found, found.pointee.num_of_certs > 0 else {
            return nil
        }
        var field = found.pointee.certinfo?[0]
        while let current = field {
            if let data = current.pointee.data {
                let text = String(cString: data)
                if text.hasPrefix("Cert:") { return Crypto.publicKeyPin(pem: String(text.dropFirst(5))) }
            }
            field = current.pointee.next
        }
        return nil
    }
}
