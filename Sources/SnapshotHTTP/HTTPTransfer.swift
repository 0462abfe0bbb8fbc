import CLibCurl
import Glibc
import SnapshotBase

/// One request on a libcurl handle, with its body and response. The handle points to this object during the transfer,
/// so the caller must keep it until the transfer has ended.
final class HTTPTransfer {
    private let handle: EasyHandle
    var easy: UnsafeMutableRawPointer { handle.pointer }
    let request: HTTPRequest
    private let stop: StopRequest
    private let clock: SystemClock
    let source: BodySource?
    var headers: UnsafeMutablePointer<curl_slist>?
    var form: OpaquePointer?
    private let errorText: UnsafeMutablePointer<CChar>
    private var response = HTTPResponse()
    private var body: ResponseBody
    private var lastByte: Uptime
    /// Why this program ended the transfer.
    private var ownFailure: HTTPFailure?
    /// Whether the header of the latest response is complete.
    private var headerIsWhole = false
    private var budget = HeaderBudget()
    private var responses = 0
    private var challenges = ChallengeHistory()
    private var watch: UploadWatch?
    private let tlsSession: SavedTLSSession?
    /// The pace of an upload.
    private let pace: UploadPace?
    private var stopNoticed: Uptime?
    private var lastCheck: Uptime

    /// The limit of responses, including challenges and interim ones; a server that sends more is in a loop.
    private static let mostResponses = 8

    /// Configures the handle.
    /// - Throws: `HTTPFailure` if the request cannot be made completely; an incomplete one could succeed wrongly.
    init(_ request: HTTPRequest, on handle: EasyHandle, _ shared: SharedTransferState) throws(HTTPFailure) {
        self.request = request
        (stop, clock) = (shared.stop, shared.clock)
        let now = clock.up()
        (lastByte, lastCheck) = (now, now)
        self.handle = handle
        body = ResponseBody(for: request)
        tlsSession = request.mayResumeTLS ? shared.tlsSessions?.session(for: request) : nil
        pace = request.timeouts == nil ? nil : shared.pace
        watch = request.timeouts.map { UploadWatch($0, deadline: request.deadline, now: now) }
        switch request.body {
        case .none: source = nil
        case .form(_, let file): source = BodySource(file.content, pace: pace)
        case .bytes, .file, .base64, .pipe: source = BodySource(request.body, pace: pace)
        }
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        guard !request.deadline.hasPassed else {
            throw HTTPFailure(kind: .timedOut, why: "there was no time left to begin it")
        }
        try request.set(on: easy)
        setHeaders()
        setCallbacks()
        try setBody()
        tlsSession?.resume(on: easy)
        // libcurl fills its buffer before it sends anything; this is the smallest size that it allows.
        if pace != nil { _ = shim_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384) }
        // Only requests to cameras have no `proxies`.
        (request.proxies == nil ? shared.camera : shared.others).count(on: easy)
        _ = shim_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
    }

    deinit {
        // The handle is reused for the next request, and must not keep pointers to this one's memory.
        shim_easy_reset(easy)
        if let form { shim_mime_free(form) }
        shim_slist_free_all(headers)
        errorText.deallocate()
    }

    /// The response, after libcurl has ended the transfer with `code`.
    func end(_ code: CURLcode) throws(HTTPFailure) -> HTTPResponse {
        do throws(HTTPFailure) {
            let response = try outcome(of: code)
            // 421: the server doesn't serve this host on that connection.
            tlsSession?.note(worked: response.status != 421)
            return response
        } catch {
            guard let tlsSession, tlsSession.isOffered, responses == 0, error != .askedToEnd,
                // A connection that stalls while the body is sent says nothing about the TLS session.
                [.tls, .lost, .unconnected].contains(error.kind) || error.kind == .timedOut && hasSentAll
            else { throw error }
            tlsSession.note(worked: false)
            var failure = error
            failure.mayRetryWithoutTLSSession = sentHeaderBytes == 0 || ["GET", "HEAD"].contains(request.method)
            throw failure
        }
    }

    private func outcome(of code: CURLcode) throws(HTTPFailure) -> HTTPResponse {
        if let ownFailure { throw ownFailure }
        if code != CURLE_OK, body.isWhole { body.end() }
        guard code == CURLE_OK || body.shouldEnd || body.isStream && code == CURLE_PARTIAL_FILE else {
            var number = 0
            _ = shim_get_long(easy, CURLINFO_OS_ERRNO, &number)
            var failure = HTTPFailure(code, String(cString: errorText), errno: number, certificate: request.certificate)
            let sent = sentHeaderBytes
            failure.bodyWasSent = sent > 0 && hasSentAll
            if case .proxy(_, let setting) = request.route { failure.proxySetting = setting }
            // No request was sent, so the server was not slow to respond: there was no connection in time.
            if failure.kind == .timedOut, sent == 0 { failure.kind = .unconnected }
            failure.hasNoResponse = sent > 0 && responses == 0
            throw failure
        }
        guard headerIsWhole else {
            throw HTTPFailure(kind: .lost, why: "the connection closed within the answer's header")
        }
        var status = 0
        _ = shim_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        response.status = status
        response.body = try body.taken()
        response.hasOfferedDigest = challenges.hasOfferedDigest
        response.challenges = challenges.present
        response.hasAnsweredChallenge = challenges.areAnswered
        // A 2xx before the whole body was sent comes from a proxy or captive portal, not from the store.
        guard !(200...299).contains(status) || hasSentAll else {
            throw HTTPFailure(kind: .lost, why: "it answered before it had the whole body")
        }
        return response
    }

    /// How much of the request's header was sent.
    private var sentHeaderBytes: Int {
        var sent = 0
        _ = shim_get_long(easy, CURLINFO_REQUEST_SIZE, &sent)
        return sent
    }

    private var hasSentAll: Bool {
        var (sent, whole): (curl_off_t, curl_off_t) = (0, 0)
        _ = shim_get_offset(easy, CURLINFO_SIZE_UPLOAD_T, &sent)
        _ = shim_get_offset(easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &whole)
        return sent >= whole
    }

    private func setCallbacks() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        _ = shim_set_transfer(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
            return transfer.receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        _ = shim_set_pointer(easy, CURLOPT_HEADERDATA, context)
        _ = shim_set_transfer(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
            return transfer.receiveBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        _ = shim_set_pointer(easy, CURLOPT_WRITEDATA, context)
        _ = shim_set_progress(easy) { context, _, received, whole, sent in
            guard let context else { return 0 }
            let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
            return transfer.continues(sent: Int(sent), of: Int(whole), received: Int(received)) ? 0 : 1
        }
        _ = shim_set_pointer(easy, CURLOPT_XFERINFODATA, context)
        _ = shim_set_long(easy, CURLOPT_NOPROGRESS, 0)
    }

    // MARK: The response

    /// Whether the transfer continues. After a request to stop, a running transfer gets two more seconds: the picture
    /// is kept in any case, and systemd does not wait for long.
    private func continues(sent: Int, of whole: Int, received: Int) -> Bool {
        let now = clock.up()
        if let failure = watch?.failure(
            sent: sent, of: whole, received: received, now: now, waited: pace?.waited ?? .zero)
        {
            ownFailure = failure
            return false
        }
        guard now - lastCheck >= .milliseconds(200) else { return true }
        lastCheck = now
        if now - lastByte >= .seconds(1), body.isComplete(ignoringLength: request.ignoresLength) {
            body.end()
            return false
        }
        guard stop.isMade else { return true }
        let since = stopNoticed ?? now
        stopNoticed = since
        if now - since < .seconds(2) { return true }
        ownFailure = .askedToEnd
        return false
    }

    private func receiveHeader(_ raw: UnsafeRawBufferPointer) -> Int {
        guard budget.take(raw.count) else { return abort(.headerTooLarge) }
        let line = String(decoding: raw, as: UTF8.self)
        // Trailers after the body are ignored.
        let isTrailer = headerIsWhole && !line.hasPrefix("HTTP/")
        guard !isTrailer else { return raw.count }
        headerIsWhole = raw.allSatisfy { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
        challenges.take(line)
        if headerIsWhole, challenges.areWeaker { return abort(.weakerLogin) }
        if headerIsWhole, request.method != "HEAD", let why = body.prepare(for: response.headers) { return abort(why) }
        if line.hasPrefix("HTTP/") {
            // A new response begins; the previous one was an interim response or a challenge.
            response = HTTPResponse()
            body.reset()
            responses += 1
            if responses > Self.mostResponses { return abort(.tooManyResponses) }
            if challenges.areTooMany { return abort(.tooManyChallenges) }
        } else if let (field, rest) = line[...].cutAtFirst(":"), response.headers.entries.count < 100 {
            let name = field.lowercased()
            let bytes = rest.utf8.filter { !(0x0A...0x0D).contains($0) }
            let value = String(String(decoding: bytes, as: UTF8.self)[...].trimmed)
            response.headers[name] = value
            if name == "date" { (response.date, response.receivedAt) = (httpDate(value), clock.wall()) }
        }
        return raw.count
    }

    private func abort(_ why: HTTPFailure) -> Int {
        ownFailure = why
        return 0
    }

    private func receiveBody(_ raw: UnsafeRawBufferPointer) -> Int {
        lastByte = clock.up()
        guard body.take(raw) else { return abort(.bodyTooLarge) }
        return body.shouldEnd ? 0 : raw.count
    }
}
