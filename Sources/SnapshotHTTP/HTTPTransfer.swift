import CLibCurl
import Glibc
import SnapshotBase

/// One request on a handle of libcurl: the body on its way out, the answer on its way in. The handle points to it while
/// it does the work, so that whoever has that done keeps the transfer until it has ended.
final class HTTPTransfer {
    private let handle: EasyHandle
    var easy: UnsafeMutableRawPointer { handle.pointer }
    let request: HTTPRequest
    private let stop: StopRequest
    let source: BodySource?
    var headers: UnsafeMutablePointer<curl_slist>?
    var form: OpaquePointer?
    private let errorText: UnsafeMutablePointer<CChar>
    private var response = HTTPResponse()
    private var body: AnswerBody
    private var lastByte = Uptime.now()
    /// Why the answer was broken off on this side.
    private var refusal: HTTPFailure?
    /// The empty line behind the last answer's header has come.
    private var headerIsWhole = false
    private var budget = HeaderBudget()
    private var answers = 0
    private var challenges = Challenges()
    private var watch: UploadWatch?
    private let session: KeptSession?
    /// Of an upload.
    private let pace: UploadPace?
    private var askedToEnd: Uptime?
    private var lastLook = Uptime.now()

    /// A challenge, one more for a stale nonce, and interim answers: more is a server that asks for ever.
    private static let mostAnswers = 8

    /// Sets the handle up.
    /// - Throws: where the request can't be made: without its form, say, it would be another one, and might be answered
    ///   well.
    init(_ request: HTTPRequest, on handle: EasyHandle, _ terms: TransferTerms) throws(HTTPFailure) {
        self.request = request
        stop = terms.stop
        self.handle = handle
        body = AnswerBody(for: request)
        session = terms.sessions?.session(for: request)
        pace = request.timeouts == nil ? nil : terms.pace
        watch = request.timeouts.map { UploadWatch($0, deadline: request.deadline, now: .now()) }
        switch request.body {
        case .none: source = nil
        case .form(_, let file): source = BodySource(file.content, pace: pace)
        case .bytes, .file, .base64, .pipe: source = BodySource(request.body, pace: pace)
        }
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        guard !request.deadline.hasPassed else {
            throw HTTPFailure(kind: .timedOut, why: "no time was left")
        }
        request.set(on: easy)
        setHeaders()
        setCallbacks()
        try setBody()
        session?.serve(easy)
        // libcurl fills its buffer before it sends anything; this is the smallest.
        if pace != nil { _ = shim_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384) }
        (request.usesProxy ? terms.far : terms.near).watch(easy)
        _ = shim_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
    }

    deinit {
        // The handle goes on to the next request, and must not keep what ends here.
        shim_easy_reset(easy)
        if let form { shim_mime_free(form) }
        shim_slist_free_all(headers)
        errorText.deallocate()
    }

    /// What the request came to, once the handle's work has ended with `code`.
    func end(_ code: CURLcode) throws(HTTPFailure) -> HTTPResponse {
        if let refusal { throw refusal }
        if code != CURLE_OK, body.isWhole { body.end() }
        guard code == CURLE_OK || body.isEnough || body.isStream && code == CURLE_PARTIAL_FILE else {
            var (number, sent) = (0, 0)
            _ = shim_get_long(easy, CURLINFO_OS_ERRNO, &number)
            var failure = HTTPFailure(code, String(cString: errorText), errno: number, certificate: request.certificate)
            _ = shim_get_long(easy, CURLINFO_REQUEST_SIZE, &sent)
            failure.bodyWasSent = sent > 0 && hasSentAll
            // Without a connection nothing was asked, and nothing was slow to answer.
            if failure.kind == .timedOut, sent == 0 { failure.kind = .unconnected }
            failure.isUnanswered = sent > 0 && answers == 0
            if sent == 0, let session, session.isOffered {
                session.forget()
                failure.hadSession = true
            }
            throw failure
        }
        guard headerIsWhole else {
            throw HTTPFailure(kind: .lost, why: "the connection closed within the answer's header")
        }
        var status = 0
        _ = shim_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        response.status = status
        response.body = try body.taken()
        response.hasOfferedDigest = challenges.haveOfferedDigest
        response.challenges = challenges.present
        response.hasAnsweredChallenge = challenges.areAnswered
        // Who acknowledges what he hasn't got is no store: a proxy, or a page that stands in between.
        guard !(200...299).contains(status) || hasSentAll else {
            throw HTTPFailure(kind: .lost, why: "it answered before it had the whole body")
        }
        return response
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
            return transfer.goesOn(sent: Int(sent), of: Int(whole), received: Int(received)) ? 0 : 1
        }
        _ = shim_set_pointer(easy, CURLOPT_XFERINFODATA, context)
        _ = shim_set_long(easy, CURLOPT_NOPROGRESS, 0)
    }

    // MARK: The answer

    /// Whoever is asked to end while a transfer is under way has it finished if that is a matter of two seconds; the
    /// picture is kept, and systemd doesn't wait for long.
    private func goesOn(sent: Int, of whole: Int, received: Int) -> Bool {
        let now = Uptime.now()
        if let failure = watch?.failure(
            sent: sent, of: whole, received: received, now: now, waited: pace?.waited ?? .zero)
        {
            refusal = failure
            return false
        }
        guard now - lastLook >= .milliseconds(200) else { return true }
        lastLook = now
        if now - lastByte >= .seconds(1), body.isComplete(ignoringLength: request.ignoresLength) {
            body.end()
            return false
        }
        guard stop.isMade else { return true }
        let since = askedToEnd ?? now
        askedToEnd = since
        if now - since < .seconds(2) { return true }
        refusal = .askedToEnd
        return false
    }

    private func receiveHeader(_ raw: UnsafeRawBufferPointer) -> Int {
        guard budget.take(raw.count) else { return refuse(.headerTooLarge) }
        let line = String(decoding: raw, as: UTF8.self)
        // What comes behind the body tells nothing of it.
        let isTrailer = headerIsWhole && !line.hasPrefix("HTTP/")
        guard !isTrailer else { return raw.count }
        headerIsWhole = raw.allSatisfy { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
        challenges.take(line)
        if headerIsWhole, challenges.areWeaker { return refuse(.weakerLogin) }
        if headerIsWhole, request.method != "HEAD", let why = body.begin(response.headers) { return refuse(why) }
        if line.hasPrefix("HTTP/") {
            // A new answer: what came before was an interim one, or a challenge.
            response = HTTPResponse()
            body.begin()
            answers += 1
            if answers > Self.mostAnswers { return refuse(.tooManyAnswers) }
            if challenges.areTooMany { return refuse(.tooManyChallenges) }
        } else if let colon = line.firstIndex(of: ":"), response.headers.entries.count < 100 {
            let name = line[..<colon].lowercased()
            let value = String(line[line.index(after: colon)...].filter { !$0.isNewline }[...].trimmed)
            response.headers[name] = value
            if name == "date" { (response.date, response.dateCame) = (httpDate(value), .now()) }
        }
        return raw.count
    }

    private func refuse(_ why: HTTPFailure) -> Int {
        refusal = why
        return 0
    }

    private func receiveBody(_ raw: UnsafeRawBufferPointer) -> Int {
        lastByte = .now()
        guard body.take(raw) else { return refuse(.bodyTooLarge) }
        return body.isEnough ? 0 : raw.count
    }
}
