import CLibCurl
import SnapshotBase

/// Opens a TLS connection with libcurl without sending an HTTP request, for examining a server or for RTSP over TLS.
package struct TLSHandshake {
    let host: HostAndPort
    let connectTimeout: Duration
    let deadline: Deadline

    /// The client certificate, if there is one.
    let certificate: ClientCertificate?

    package init(
        host: HostAndPort, connectTimeout: Duration, deadline: Deadline, certificate: ClientCertificate? = nil
    ) {
        self.host = host
        self.certificate = certificate
        self.connectTimeout = connectTimeout
        self.deadline = deadline
    }

    /// The server's public key as `sha256//…`, without verification.
    package func pin() throws(HTTPFailure) -> String {
        let handle = try connection(trusting: .unverified)
        guard let pin = withExtendedLifetime(handle, { seenPin(handle.pointer) }) else {
            throw HTTPFailure(kind: .tls, why: "its certificate can't be read")
        }
        return pin
    }

    /// Opens the connection, which stays open as long as the returned handle exists.
    package func connection(trusting trust: TLSTrust) throws(HTTPFailure) -> EasyHandle {
        var request = HTTPRequest("GET", "https://\(host)/", through: nil, deadline: deadline)
        (request.trust, request.connectTimeout) = (trust, connectTimeout)
        request.certificate = certificate
        guard !deadline.hasPassed else {
            throw HTTPFailure(kind: .timedOut, why: "there was no time left to begin it")
        }
        // A separate handle, so that the connection is not reused for HTTP requests.
        let handle = try EasyHandle()
        let easy = handle.pointer
        try request.set(on: easy)
        _ = shim_set_long(easy, CURLOPT_CONNECT_ONLY, 1)
        if trust == .unverified { _ = shim_set_long(easy, CURLOPT_CERTINFO, 1) }
        // ALPN has no name for RTSP, and some servers reject unknown ones.
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

    /// Runs `work` and returns its code with libcurl's error text, which may be empty.
    func withWords(of easy: UnsafeMutableRawPointer, _ work: () -> CURLcode) -> (code: CURLcode, words: String) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { text in
            text.initialize(repeating: 0)
            _ = shim_set_pointer(easy, CURLOPT_ERRORBUFFER, text.baseAddress)
            let code = work()
            _ = shim_set_pointer(easy, CURLOPT_ERRORBUFFER, nil)
            return (code, text.baseAddress.map { String(cString: $0) } ?? "")
        }
    }

    /// The pin of the certificate that the server sent.
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
