import CLibCurl
import Glibc
import SnapshotBase

/// HTTP on libcurl, one request at a time; connections stay open for the next request. The only file, with
/// `HTTPTransfer.swift`, that knows libcurl's types.
///
/// Redirects are never followed and HTTP/1.1 is all that is spoken: cameras and object stores want no more.
package final class HTTPClient {
    /// Made when first needed: loading libcurl is most of what a run costs, and a folder to store in doesn't need it.
    private var handle: UnsafeMutableRawPointer?
    /// Trust in the system's authorities through its directory of hashed names, where there is one: reading the
    /// whole bundle instead costs more than all the rest of a transfer.
    private let authoritiesDirectory: String?

    package init() {
        let directory = "/etc/ssl/certs"
        authoritiesDirectory = fileExists(directory + "/ca-certificates.crt") ? directory : nil
    }

    deinit {
        if let handle { shim_easy_cleanup(handle) }
    }

    /// Does one request. Answers of any status are returned; only the lack of one throws.
    package func perform(_ request: HTTPRequest) throws(HTTPFailure) -> HTTPResponse {
        let easy = try opened()
        guard !request.deadline.hasPassed else {
            throw HTTPFailure(kind: .timedOut, why: "no time was left")
        }
        let transfer = HTTPTransfer(request)
        shim_easy_reset(easy)
        var headers: UnsafeMutablePointer<curl_slist>?
        defer { shim_slist_free_all(headers) }
        for (name, value) in request.headers {
            headers = shim_slist_append(headers, value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        // Asking before the body is sent would cost a round trip, and a second where the server doesn't know the question.
        // A stream without end asks, or a refusal could get lost in it.
        headers = shim_slist_append(headers, request.body.isStream ? "Expect: 100-continue" : "Expect:")
        var errorText = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))

        let code = try errorText.withUnsafeMutableBufferPointer { text throws(HTTPFailure) -> CURLcode in
            set(easy, request)
            _ = shim_set_pointer(easy, CURLOPT_ERRORBUFFER, text.baseAddress)
            if let headers { _ = shim_set_list(easy, CURLOPT_HTTPHEADER, headers) }
            let form = try transfer.attach(to: easy)
            defer { if let form { shim_mime_free(form) } }
            let code = shim_easy_perform(easy)
            // The buffers named above end with this call; the handle must not keep them.
            _ = shim_set_pointer(easy, CURLOPT_ERRORBUFFER, nil)
            return code
        }
        guard code == CURLE_OK else {
            var number = 0
            _ = shim_get_long(easy, CURLINFO_OS_ERRNO, &number)
            throw failure(code, errorText, number, transfer)
        }
        guard transfer.headerIsWhole else {
            throw HTTPFailure(kind: .lost, why: "the connection closed within the answer's header")
        }
        var status = 0
        _ = shim_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        transfer.response.status = status
        if request.trust == .anybody { transfer.response.pin = seenPin(easy) }
        transfer.response.date = transfer.response.headers["date"].flatMap(httpDate)
        return transfer.response
    }

    private static let whyMissing = shim_load().map { String(cString: $0) }

    private func opened() throws(HTTPFailure) -> UnsafeMutableRawPointer {
        if let handle { return handle }
        if let why = Self.whyMissing { throw HTTPFailure(kind: .noLibrary, why: why) }
        handle = shim_easy_init()
        guard let handle else { throw HTTPFailure(kind: .noLibrary, why: "libcurl can't be started") }
        return handle
    }

    private func set(_ easy: UnsafeMutableRawPointer, _ request: HTTPRequest) {
        _ = shim_set_string(easy, CURLOPT_URL, request.url)
        _ = shim_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = shim_set_long(easy, CURLOPT_NOSIGNAL, 1)
        _ = shim_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        _ = shim_set_long(easy, CURLOPT_PATH_AS_IS, 1)
        // A resolver that hangs must not hold the program past its deadline.
        _ = shim_set_long(easy, CURLOPT_QUICK_EXIT, 1)
        _ = shim_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeout.milliseconds)
        if request.body.isStream {
            // A stream has no end to be late for, but it may come to a standstill.
            if let stallTimeout = request.stallTimeout {
                _ = shim_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, 1)
                _ = shim_set_long(easy, CURLOPT_LOW_SPEED_TIME, max(1, stallTimeout.milliseconds / 1000))
                _ = shim_set_waiting(easy, UInt32(clamping: stallTimeout.milliseconds))
            }
        } else {
            _ = shim_set_long(easy, CURLOPT_TIMEOUT_MS, request.deadline.millisecondsLeft)
        }
        if !request.usesProxy { _ = shim_set_string(easy, CURLOPT_PROXY, "") }
        if !request.reusesConnection { _ = shim_set_long(easy, CURLOPT_FRESH_CONNECT, 1) }
        _ = shim_set_string(easy, CURLOPT_USERAGENT, "snapshot/\(snapshotVersion)")
        if let credentials = request.credentials {
            _ = shim_set_long(easy, CURLOPT_HTTPAUTH, shim_auth_basic_or_digest)
            _ = shim_set_string(easy, CURLOPT_USERNAME, credentials.user)
            _ = shim_set_string(easy, CURLOPT_PASSWORD, credentials.password)
        }
        switch request.trust {
        case .authorities(let file?):
            _ = shim_set_string(easy, CURLOPT_CAINFO, file)
            _ = shim_set_string(easy, CURLOPT_CAPATH, nil)
        case .authorities(nil):
            if let authoritiesDirectory {
                _ = shim_set_string(easy, CURLOPT_CAINFO, nil)
                _ = shim_set_string(easy, CURLOPT_CAPATH, authoritiesDirectory)
            }
        case .pin(let pin):
            trustNoAuthority(easy)
            _ = shim_set_string(easy, CURLOPT_PINNEDPUBLICKEY, pin)
        case .anybody:
            trustNoAuthority(easy)
            _ = shim_set_long(easy, CURLOPT_CERTINFO, 1)
        }
    }

    private func trustNoAuthority(_ easy: UnsafeMutableRawPointer) {
        _ = shim_set_long(easy, CURLOPT_SSL_VERIFYPEER, 0)
        _ = shim_set_long(easy, CURLOPT_SSL_VERIFYHOST, 0)
    }

    private func seenPin(_ easy: UnsafeMutableRawPointer) -> String? {
        var found: UnsafeMutablePointer<curl_certinfo>?
        guard shim_get_certificates(easy, &found) == CURLE_OK, let found, found.pointee.num_of_certs > 0
        else {
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

    private func failure(
        _ code: CURLcode, _ text: [CChar], _ number: Int, _ transfer: HTTPTransfer
    ) -> HTTPFailure {
        let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var why = words.isEmpty ? String(cString: shim_easy_strerror(code)) : words
        if code == CURLE_COULDNT_CONNECT, number > 0 { why = String(cString: strerror(Int32(number))) }
        // What libcurl has no memory for is a line of the header over 100 KiB.
        if code == CURLE_OUT_OF_MEMORY { why = "a line of the answer's header is too long" }
        if let refusal = transfer.refusal {
            switch refusal {
            case .tooLarge: return HTTPFailure(kind: .tooLarge, why: why)
            case .multipart: return HTTPFailure(kind: .endless, why: "the answer is a stream of pictures without end")
            case .tooManyAnswers: return HTTPFailure(kind: .lost, why: "it asks for the credentials again and again")
            }
        }
        let kind: HTTPFailure.Kind =
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
        return HTTPFailure(kind: kind, why: why.printable(), body: transfer.response.body)
    }
}

/// The seconds since 1970 of a date as HTTP headers carry it.
func httpDate(_ text: String) -> Int? {
    let seconds = shim_getdate(text)
    return seconds > 0 ? Int(seconds) : nil
}
