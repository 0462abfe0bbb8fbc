import Glibc
import SnapshotBase

/// What the gate found in a good picture.
package struct JPEG: Equatable, Sendable {
    package let width: Int
    package let height: Int
    /// From the first scan's header to the end of the image: what the lens saw, without metadata.
    package let scan: Range<Int>

    /// With what every JPEG begins.
    static let start: [UInt8] = [0xFF, 0xD8]

    /// Why bytes are not a whole JPEG.
    package enum Flaw: Error, Equatable, Sendable, CustomStringConvertible {
        case empty
        case json
        case html
        case otherFormat(first: [UInt8])
        case tiny(Int)
        case badMarker(at: Int)
        case badSegment(at: Int)
        case noDimensions
        case noScan
        case cutShort

        package var description: String {
            switch self {
            case .empty: "the body is empty"
            case .json: "the body is JSON, not a picture"
            case .html: "the body is an HTML page, not a picture"
            case .otherFormat(let first): "the body isn't a JPEG: it begins with \(hexadecimal(first))"
            case .tiny(let count): "\(count) bytes are too few for a picture"
            case .badMarker(let offset): "the JPEG is damaged: no marker at byte \(offset)"
            case .badSegment(let offset): "the JPEG is damaged: bad segment at byte \(offset)"
            case .noDimensions: "the JPEG has no dimensions"
            case .noScan: "the JPEG has no image data"
            case .cutShort: "the JPEG is cut short: no end of image"
            }
        }
    }

    /// Walks the markers: SOI, segments, SOF (dimensions), SOS, scan data, EOI. JFIF and Exif are not asked for,
    /// fill bytes before markers and anything behind EOI are fine, and what stands inside a segment (an Exif
    /// thumbnail has its own SOI and EOI) is stepped over. Source: ITU-T T.81, annex B.
    package init(checking bytes: [UInt8]) throws(Flaw) {
        if let flaw = Self.notJPEG(bytes) { throw flaw }
        var size: (width: Int, height: Int)?
        var firstScan: Int?
        var position = 2
        while true {
            let marker = try Self.marker(in: bytes, at: &position)
            switch marker {
            case 0xD9:
                guard let firstScan else { throw .noScan }
                guard let size, size.height > 0 else { throw .noDimensions }
                (width, height, scan) = (size.width, size.height, firstScan..<position)
                return
            case 0x01, 0xD0...0xD7:
                continue
            case 0x00, 0xD8:
                throw .badMarker(at: position - 2)
            default: break
            }
            let segment = try Self.segment(in: bytes, at: &position)
            switch marker {
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
                guard size == nil, segment.count >= 9 else { throw .badSegment(at: segment.lowerBound) }
                let height = Self.word(bytes, segment.lowerBound + 3)
                let width = Self.word(bytes, segment.lowerBound + 5)
                guard width > 0 else { throw .noDimensions }
                size = (width, height)
            case 0xDC where size?.height == 0 && segment.count == 4:
                size?.height = Self.word(bytes, segment.lowerBound + 2)
            case 0xDA:
                guard size != nil else { throw .noDimensions }
                if firstScan == nil { firstScan = segment.lowerBound - 2 }
                let start = position
                position = try Self.endOfScan(in: bytes, from: start)
                guard position > start else { throw .noScan }
            default: break
            }
        }
    }

    private static func notJPEG(_ bytes: [UInt8]) -> Flaw? {
        if bytes.starts(with: start) { return bytes.count < 64 ? .tiny(bytes.count) : nil }
        guard let first = bytes.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }) else {
            return .empty
        }
        switch first {
        case UInt8(ascii: "["), UInt8(ascii: "{"): return .json
        case UInt8(ascii: "<"): return .html
        default: return bytes.count < 64 ? .tiny(bytes.count) : .otherFormat(first: Array(bytes.prefix(8)))
        }
    }

    /// The marker at `position`, which moves behind it; any number of fill bytes may stand before it.
    private static func marker(in bytes: [UInt8], at position: inout Int) throws(Flaw) -> UInt8 {
        guard position < bytes.count else { throw .cutShort }
        guard bytes[position] == 0xFF else { throw .badMarker(at: position) }
        while position < bytes.count, bytes[position] == 0xFF { position += 1 }
        guard position < bytes.count else { throw .cutShort }
        position += 1
        return bytes[position - 1]
    }

    /// The segment at `position`, its two length bytes included; `position` moves behind it.
    private static func segment(in bytes: [UInt8], at position: inout Int) throws(Flaw) -> Range<Int> {
        guard position + 2 <= bytes.count else { throw .cutShort }
        let length = word(bytes, position)
        guard length >= 2 else { throw .badSegment(at: position) }
        guard position + length <= bytes.count else { throw .cutShort }
        defer { position += length }
        return position..<(position + length)
    }

    /// Where the entropy-coded data ends: at the first marker that is neither a stuffed zero nor a restart.
    private static func endOfScan(in bytes: [UInt8], from start: Int) throws(Flaw) -> Int {
        let end = bytes.withUnsafeBytes { buffer -> Int? in
            var position = start
            while let found = Self.firstFF(in: buffer, from: position), found + 1 < buffer.count {
                let next = buffer[found + 1]
                if next == 0xFF {
                    position = found + 1
                } else if next == 0 || (0xD0...0xD7).contains(next) {
                    position = found + 2
                } else {
                    return found
                }
            }
            return nil
        }
        guard let end else { throw .cutShort }
        return end
    }

    private static func firstFF(in buffer: UnsafeRawBufferPointer, from position: Int) -> Int? {
        guard position < buffer.count, let base = buffer.baseAddress,
            let found = memchr(base + position, 0xFF, buffer.count - position)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    private static func word(_ bytes: [UInt8], _ offset: Int) -> Int {
        Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
    }
}
