import Glibc
import SnapshotBase

/// Random access to a body's bytes, since a body may be read twice: to sign it, or to send it again. A pipe has none.
extension HTTPBody {
    /// Copies the bytes from `position` on.
    /// - Returns: the number of bytes; 0 at the end; nil if a file cannot be read or is shorter than announced.
    func copy(from position: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        switch self {
        case .bytes(let bytes): return copyPiece(of: bytes, from: position, into: buffer)
        case .file(let file, let offset, let length):
            let count = min(buffer.count, length - position)
            guard count > 0 else { return 0 }
            let got = retrying { pread(file.descriptor, buffer.baseAddress, count, off_t(offset + position)) }
            return got > 0 ? got : nil
        case .base64(let before, let content, let after):
            let encoded = base64Length(content.length)
            if position < before.count { return copyPiece(of: before, from: position, into: buffer) }
            let inside = position - before.count
            if inside < encoded { return copyBase64(of: content, from: inside, into: buffer) }
            return copyPiece(of: after, from: inside - encoded, into: buffer)
        case .none, .form, .pipe: return 0
        }
    }

    /// The HMAC-SHA-256 of `prefix` followed by the body, 32 bytes; nil if the body cannot be read.
    package func hmac(key: [UInt8], prefix: [UInt8]) -> [UInt8]? {
        let mac = Crypto.MAC(key: key)
        mac.add(prefix[...])
        var position = 0
        var piece = [UInt8](repeating: 0, count: 49152)
        while true {
            guard let count = piece.withUnsafeMutableBytes({ copy(from: position, into: $0) }) else { return nil }
            if count == 0 { return position == length ? mac.value() : nil }
            mac.add(piece[..<count])
            position += count
        }
    }
}

/// The length of `count` bytes in base64.
func base64Length(_ count: Int) -> Int { (count + 2) / 3 * 4 }

private func copyPiece(of bytes: [UInt8], from position: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, bytes.count - position)
    guard count > 0 else { return 0 }
    bytes.withUnsafeBytes { raw in
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: raw[position..<(position + count)]))
    }
    return count
}

/// Copies the base64 of `content` from `position` on: encodes whole groups of three bytes, and drops what precedes
/// `position`.
private func copyBase64(
    of content: HTTPBody, from position: Int, into buffer: UnsafeMutableRawBufferPointer
) -> Int? {
    let start = position / 4 * 3
    var bytes = [UInt8](repeating: 0, count: min(content.length - start, 49152))
    var filled = 0
    while filled < bytes.count {
        let got = bytes.withUnsafeMutableBytes { raw in
            content.copy(from: start + filled, into: UnsafeMutableRawBufferPointer(rebasing: raw[filled...]))
        }
        guard let got, got > 0 else { return nil }
        filled += got
    }
    let text = Crypto.base64Bytes(bytes)
    return copyPiece(of: text, from: position % 4, into: buffer)
}
