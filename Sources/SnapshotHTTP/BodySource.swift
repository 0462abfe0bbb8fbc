import CLibCurl
import Glibc
import SnapshotBase

/// A body that libcurl reads from. It can be rewound, as Digest logins and lost connections require; a pipe cannot.
final class BodySource {
    private let body: HTTPBody
    private var position = 0
    private let pace: UploadPace?
    /// In bytes; nil for a pipe.
    let length: Int?

    init(_ body: HTTPBody, pace: UploadPace? = nil) {
        self.body = body
        self.pace = pace
        switch body {
        case .bytes, .file, .base64: length = body.length
        case .none, .form, .pipe: length = nil
        }
    }

    var context: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, (length ?? Int.max) - position)
        guard count > 0 else { return 0 }
        guard let pace else { return copy(into: buffer, count) }
        pace.wait()
        let got = copy(into: buffer, min(count, pace.piece))
        if got <= buffer.count { pace.count(got) }
        return got
    }

    private func copy(into buffer: UnsafeMutableRawBufferPointer, _ count: Int) -> Int {
        if case .pipe(let pipe) = body {
            let got = retrying { Glibc.read(pipe.descriptor, buffer.baseAddress, count) }
            return got >= 0 ? got : Int(CURL_READFUNC_ABORT)
        }
        guard let got = body.copy(from: position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])),
            got > 0
        else { return Int(CURL_READFUNC_ABORT) }
        position += got
        return got
    }

    func seek(to offset: Int) -> Bool {
        guard let length, (0...length).contains(offset) else { return false }
        position = offset
        return true
    }
}

let readSource: shim_transfer = { bytes, size, count, context in
    guard let bytes, let context else { return Int(CURL_READFUNC_ABORT) }
    let source = Unmanaged<BodySource>.fromOpaque(context).takeUnretainedValue()
    return source.read(into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
}

let seekSource: shim_seek = { context, offset, origin in
    guard let context, origin == SEEK_SET else { return Int32(CURL_SEEKFUNC_CANTSEEK) }
    let source = Unmanaged<BodySource>.fromOpaque(context).takeUnretainedValue()
    return source.seek(to: Int(clamping: offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
}
