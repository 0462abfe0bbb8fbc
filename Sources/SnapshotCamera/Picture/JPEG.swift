import SnapshotBase

/// The facts that validation finds in a whole JPEG.
package struct JPEG: Equatable, Sendable {
    package let width: Int
    package let height: Int
    /// The bytes from the first scan's header to the end of the image: the image itself, without metadata.
    package let scan: Range<Int>

    /// The start of image marker (SOI), with which every JPEG begins.
    static let start: [UInt8] = [0xFF, 0xD8]
    /// The end of image marker (EOI); other bytes may follow it.
    static let end: [UInt8] = [0xFF, 0xD9]

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

    /// Validates a JPEG. Bytes after the end of the image are accepted.
    package init(checking bytes: [UInt8]) throws(Flaw) {
        if let flaw = Self.notJPEG(bytes) { throw flaw }
        var walk = JPEGWalk()
        guard let whole = try walk.advance(in: bytes) else { throw .cutShort }
        self = whole
    }

    init(width: Int, height: Int, scan: Range<Int>) {
        self.width = width
        self.height = height
        self.scan = scan
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
}
