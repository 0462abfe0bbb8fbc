import CLibCurl
import Glibc
import SnapshotBase

/// What libcurl's callbacks work on during one request: the body on its way out, the answer on its way in.
final class HTTPTransfer {
    var response = HTTPResponse()
    /// Why the answer was broken off here; nil where it wasn't.
    private(set) var refusal: Refusal?
    /// The empty line behind the last answer's header has come.
    private(set) var headerIsWhole = false
    private var answers = 0
    private var askedToEnd: Uptime?
    private var lastLook = Uptime.now()
    private let request: HTTPRequest
    private let source: BodySource?

    enum Refusal {
        case tooLarge
        /// A stream of pictures, which has no end.
        case multipart
        /// Challenge after challenge.
        case tooManyAnswers
    }

    /// A challenge, one more for a stale nonce, and interim answers: more is a server that asks for ever.
    private static let mostAnswers = 8

    init(_ request: HTTPRequest) {
        self.request = request
        switch request.body {
        case .none: source = nil
        case .form(_, let file): source = BodySource(file.content)
        default: source = BodySource(request.body)
        }
    }

    /// Sets the callbacks and the body. The caller keeps `self` alive and frees the form after the transfer.
    /// - Throws: where the form can't be made: without it the request would be another one, and might be answered well.
    func attach(to easy: UnsafeMutableRawPointer) throws(HTTPFailure) -> OpaquePointer? {
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
        _ = shim_set_progress(easy) { context, _, _, _, _ in
            guard let context else { return 0 }
            return Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue().goesOn() ? 0 : 1
        }
        _ = shim_set_pointer(easy, CURLOPT_XFERINFODATA, context)
        _ = shim_set_long(easy, CURLOPT_NOPROGRESS, 0)

        guard let source else {
            if request.method == "HEAD" {
                _ = shim_set_long(easy, CURLOPT_NOBODY, 1)
            } else if request.method != "GET" {
                // An empty body still has a length to announce.
                _ = shim_set_string(easy, CURLOPT_COPYPOSTFIELDS, "")
                _ = shim_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
            }
            return nil
        }
        if case .form(let fields, let file) = request.body {
            return try attachForm(fields, file, source, to: easy)
        }
        _ = shim_set_long(easy, CURLOPT_UPLOAD, 1)
        if request.method != "PUT" { _ = shim_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method) }
        if let length = source.length {
            _ = shim_set_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(length))
        }
        _ = shim_set_transfer(easy, CURLOPT_READFUNCTION, readSource)
        _ = shim_set_pointer(easy, CURLOPT_READDATA, source.context)
        _ = shim_set_seek(easy, seekSource)
        _ = shim_set_pointer(easy, CURLOPT_SEEKDATA, source.context)
        return nil
    }

    private func attachForm(
        _ fields: [(name: String, value: String)], _ file: FormFile, _ source: BodySource,
        to easy: UnsafeMutableRawPointer
    ) throws(HTTPFailure) -> OpaquePointer {
        let form = shim_mime_init(easy)
        var codes: [CURLcode] = []
        for field in fields {
            let part = shim_mime_addpart(form)
            codes.append(shim_mime_name(part, field.name))
            codes.append(shim_mime_data(part, field.value, field.value.utf8.count))
        }
        let part = shim_mime_addpart(form)
        codes.append(shim_mime_name(part, file.field))
        codes.append(shim_mime_filename(part, file.fileName))
        codes.append(shim_mime_type(part, file.contentType))
        codes.append(
            shim_mime_source(part, curl_off_t(source.length ?? 0), readSource, seekSource, source.context))
        // Without a part there is nothing that libcurl could name: that is an error too, and no crash.
        guard let form, codes.allSatisfy({ $0 == CURLE_OK }) else {
            shim_mime_free(form)
            throw HTTPFailure(kind: .lost, why: "libcurl can't make a form; there is no memory or no randomness")
        }
        _ = shim_set_mime(easy, form)
        if request.method != "POST" { _ = shim_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method) }
        return form
    }

    /// Whoever is asked to end while a transfer is under way has it finished if that is a matter of two seconds; the
    /// picture is kept, and systemd doesn't wait for long.
    private func goesOn() -> Bool {
        let now = Uptime.now()
        guard now - lastLook >= .milliseconds(200) else { return true }
        lastLook = now
        guard HeldSignals.areWaiting else { return true }
        let since = askedToEnd ?? now
        askedToEnd = since
        return now - since < .seconds(2)
    }

    private func receiveHeader(_ raw: UnsafeRawBufferPointer) -> Int {
        let line = String(decoding: raw, as: UTF8.self)
        headerIsWhole = raw.allSatisfy { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
        if line.hasPrefix("HTTP/") {
            // A new answer: what came before was an interim one, or a challenge.
            response = HTTPResponse()
            answers += 1
            if answers > Self.mostAnswers { return refuse(.tooManyAnswers) }
        } else if let colon = line.firstIndex(of: ":"), response.headers.entries.count < 100 {
            let name = line[..<colon].lowercased()
            let value = String(line[line.index(after: colon)...].filter { !$0.isNewline }[...].trimmed)
            response.headers[name] = value
            if name == "content-length", let length = Int(value), length > request.maximumBody, request.method != "HEAD"
            {
                return refuse(.tooLarge)
            }
            if name == "content-type", value.lowercased().hasPrefix("multipart/x-mixed-replace") {
                return refuse(.multipart)
            }
        }
        return raw.count
    }

    private func refuse(_ why: Refusal) -> Int {
        refusal = why
        return 0
    }

    private func receiveBody(_ raw: UnsafeRawBufferPointer) -> Int {
        guard response.body.count + raw.count <= request.maximumBody else {
            return refuse(.tooLarge)
        }
        if response.body.isEmpty, let text = response.headers["content-length"], let length = Int(text) {
            response.body.reserveCapacity(min(length, request.maximumBody))
        }
        response.body.append(contentsOf: raw)
        return raw.count
    }
}

/// Bytes on their way out; can be sent again from the start, as Digest and lost connections want. Pipes can't.
private final class BodySource {
    private let body: HTTPBody
    private var position = 0
    /// nil for a pipe.
    let length: Int?

    init(_ body: HTTPBody) {
        self.body = body
        switch body {
        case .bytes(let bytes): length = bytes.count
        case .file(_, _, let count): length = count
        default: length = nil
        }
    }

    var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, (length ?? Int.max) - position)
        guard count > 0 else { return 0 }
        switch body {
        case .bytes(let bytes):
            bytes.withUnsafeBytes { raw in
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: raw[position..<(position + count)]))
            }
            position += count
            return count
        case .file(let file, let offset, _):
            let got = retrying { pread(file.descriptor, buffer.baseAddress, count, off_t(offset + position)) }
            guard got > 0 else { return Int(CURL_READFUNC_ABORT) }
            position += got
            return got
        case .pipe(let pipe):
            let got = retrying { Glibc.read(pipe.descriptor, buffer.baseAddress, count) }
            return got >= 0 ? got : Int(CURL_READFUNC_ABORT)
        case .none, .form:
            return 0
        }
    }

    func seek(to offset: Int) -> Bool {
        guard let length, (0...length).contains(offset) else { return false }
        position = offset
        return true
    }
}

private let readSource: shim_transfer = { bytes, size, count, context in
    guard let bytes, let context else { return Int(CURL_READFUNC_ABORT) }
    let source = Unmanaged<BodySource>.fromOpaque(context).takeUnretainedValue()
    return source.read(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
}

private let seekSource: shim_seek = { context, offset, origin in
    guard let context, origin == SEEK_SET else { return Int32(CURL_SEEKFUNC_CANTSEEK) }
    let source = Unmanaged<BodySource>.fromOpaque(context).takeUnretainedValue()
    return source.seek(to: Int(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}
