import Glibc

/// An incremental parser of a JPEG's markers (ITU-T T.81, annex B). It resumes as bytes arrive, and examines each once.
/// JFIF and Exif are not required, fill bytes may precede markers, and the content of segments is skipped, e.g. an Exif
/// thumbnail with its own SOI and EOI.
struct JPEGWalk {
    private var position: Int
    private var size: (width: Int, height: Int)?
    private var firstScan: Int?
    /// Where the present scan's data begins; nil outside a scan.
    private var scanData: Int?

    /// - Parameter start: the position of the SOI.
    init(from start: Int = 0) { position = start + 2 }

    /// - Parameter bytes: all that have arrived so far.
    /// - Returns: the picture; nil where its end hasn't arrived.
    mutating func advance(in bytes: [UInt8]) throws(JPEG.Flaw) -> JPEG? {
        while true {
            if let start = scanData {
                guard skipScan(in: bytes) else { return nil }
                guard position > start else { throw .noScan }
                scanData = nil
            }
            guard let (marker, start) = try marker(in: bytes) else { return nil }
            switch marker {
            case 0xD9:
                guard let firstScan else { throw .noScan }
                guard let size, size.height > 0 else { throw .noDimensions }
                position = start
                return JPEG(width: size.width, height: size.height, scan: firstScan..<position)
            case 0x01, 0xD0...0xD7:
                position = start
            case 0x00, 0xD8:
                throw .badMarker(at: start - 2)
            default:
                guard let segment = try Self.segment(in: bytes, at: start) else { return nil }
                try take(marker, segment, of: bytes)
                position = segment.upperBound
            }
        }
    }

    private mutating func take(_ marker: UInt8, _ segment: Range<Int>, of bytes: [UInt8]) throws(JPEG.Flaw) {
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
            scanData = segment.upperBound
        default: break
        }
    }

    /// The marker at `position` and the position after it; any number of fill bytes may precede it.
    private func marker(in bytes: [UInt8]) throws(JPEG.Flaw) -> (marker: UInt8, end: Int)? {
        guard position < bytes.count else { return nil }
        guard bytes[position] == 0xFF else { throw .badMarker(at: position) }
        var next = position
        while next < bytes.count, bytes[next] == 0xFF { next += 1 }
        return next < bytes.count ? (bytes[next], next + 1) : nil
    }

    /// The range of the segment at `start`, including its two length bytes; nil where it isn't complete.
    private static func segment(in bytes: [UInt8], at start: Int) throws(JPEG.Flaw) -> Range<Int>? {
        guard start + 2 <= bytes.count else { return nil }
        let length = word(bytes, start)
        guard length >= 2 else { throw .badSegment(at: start) }
        return start + length <= bytes.count ? start..<(start + length) : nil
    }

    /// Moves to the end of the entropy-coded data: the first marker that is neither a stuffed zero nor a restart.
    /// - Returns: false where that marker hasn't arrived.
    private mutating func skipScan(in bytes: [UInt8]) -> Bool {
        let start = position
        let (end, isFound) = bytes.withUnsafeBytes { buffer -> (Int, Bool) in
            var position = start
            while let found = Self.firstFF(in: buffer, from: position) {
                guard found + 1 < buffer.count else { return (found, false) }
                let next = buffer[found + 1]
                if next == 0xFF {
                    position = found + 1
                } else if next == 0 || (0xD0...0xD7).contains(next) {
                    position = found + 2
                } else {
                    return (found, true)
                }
            }
            return (max(position, buffer.count), false)
        }
        position = end
        return isFound
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
