import CLibCurl
import Glibc
import SnapshotBase

/// What libcurl's callbacks work on during one request: the body on its way out, the answer on its way in.
final class HTTPTransfer {
    var response = HTTPResponse()
    private(set) var isTooLarge = false
    private let request: HTTPRequest
    private let source: BodySource?

    init(_ request: HTTPRequest) {
        self.request = request
        switch request.body {
        case .none: source = nil
        case .form(_, let file): source = BodySource(file.content)
        default: source = BodySource(request.body)
        }
    }

    /// Sets the callbacks and the body. The caller keeps `self` alive and frees the form after the transfer.
    func attach(to easy: UnsafeMutableRawPointer) -> OpaquePointer? {
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
            return attachForm(fields, file, source, to: easy)
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
    ) -> OpaquePointer? {
        guard let form = shim_mime_init(easy) else { return nil }
        for field in fields {
            let part = shim_mime_addpart(form)
            shim_mime_name(part, field.name)
            shim_mime_data(part, field.value, field.value.utf8.count)
        }
        let part = shim_mime_addpart(form)
        shim_mime_name(part, file.field)
        shim_mime_filename(part, file.fileName)
        shim_mime_type(part, file.contentType)
        shim_mime_source(part, curl_off_t(source.length ?? 0), readSource, seekSource, source.context)
        _ = shim_set_mime(easy, form)
        if request.method != "POST" { _ = shim_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method) }
        return form
    }

    private func receiveHeader(_ raw: UnsafeRawBufferPointer) -> Int {
        let line = String(decoding: raw, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // A new answer: what came before was an interim one, or a challenge.
            response = HTTPResponse()
        } else if let colon = line.firstIndex(of: ":"), response.headers.entries.count < 100 {
            let name = line[..<colon].lowercased()
            let value = line[line.index(after: colon)...].filter { $0 != "\r\n" && $0 != "\n" && $0 != "\r" }
            response.headers[name] = String(value[...].trimmed)
            if name == "content-length", let length = Int(value[...].trimmed), length > request.maximumBody,
                request.method != "HEAD"
            {
                isTooLarge = true
                return 0
            }
        }
        return raw.count
    }

    private func receiveBody(_ raw: UnsafeRawBufferPointer) -> Int {
        guard response.body.count + raw.count <= request.maximumBody else {
            isTooLarge = true
            return 0
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
