import SnapshotHTTP

/// Finds the picture in a camera's response while it arrives. A JPEG ends at its EOI, whatever Content-Length says and
/// even if the connection stays open; of an MJPEG stream (`multipart/x-mixed-replace`) the first part is the picture.
struct PictureReader: BodyReader {
    /// Where the reader is in the body.
    private enum Position {
        /// Before the first part of a stream; in that part's header.
        case preamble, partHeader
        /// In the picture, which begins at `start`.
        case picture(start: Int)
    }

    private var isStream = false
    private var position = Position.picture(start: 0)
    /// Where the next line of a stream begins.
    private var line = 0
    private var walk: JPEGWalk?
    /// The end of the picture; nil until it is whole.
    private var end: Int?
    /// Whether the bytes aren't a JPEG.
    private var isOther = false

    /// The most bytes that a stream may send before its first picture.
    private static let longestHeader = 16384

    mutating func begin(contentType: String) {
        self = PictureReader()
        guard contentType.hasPrefix("multipart/") else { return }
        isStream = true
        position = .preamble
    }

    mutating func isEnough(_ body: [UInt8]) -> Bool {
        if isStream { skipLines(in: body) }
        guard case .picture(let start) = position else { return body.count > Self.longestHeader }
        guard !isOther, body.count >= start + JPEG.start.count else { return false }
        do throws(JPEG.Flaw) {
            guard walk != nil || body[start...].starts(with: JPEG.start) else { throw .badMarker(at: start) }
            var walk = walk ?? JPEGWalk(from: start)
            end = try walk.advance(in: body)?.scan.upperBound
            self.walk = walk
            return end != nil
        } catch {
            // These bytes aren't a JPEG, perhaps an error page: read it to its end, so that a message can show it. A
            // multipart stream has no end.
            isOther = true
            return isStream
        }
    }

    func wanted(of body: [UInt8], hasEnded: Bool) -> Range<Int>? {
        guard isStream else { return 0..<(hasEnded ? body.count : end ?? body.count) }
        guard case .picture(let start) = position else { return nil }
        return start..<(end ?? body.count)
    }

    /// Skips to the first part's content. Any line that begins with two hyphens counts as the boundary, since some
    /// servers send another boundary than the one they announce.
    private mutating func skipLines(in body: [UInt8]) {
        while line <= Self.longestHeader {
            if case .picture = position { return }
            guard let end = body[line...].firstIndex(of: UInt8(ascii: "\n")) else { return }
            let text = body[line..<end]
            line = end + 1
            switch position {
            case .preamble: if text.starts(with: "--".utf8) { position = .partHeader }
            case .partHeader:
                if text.allSatisfy({ $0 == UInt8(ascii: "\r") }) { position = .picture(start: line) }
            case .picture: return
            }
        }
    }
}
