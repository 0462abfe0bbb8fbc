import CLibCurl
import Glibc
import SnapshotBase

/// Bytes on their way out; can be sent again from the start, as Digest and lost connections want. Pipes can't.
final class BodySource {
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
