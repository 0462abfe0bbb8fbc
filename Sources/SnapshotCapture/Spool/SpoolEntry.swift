import SnapshotBase
import SnapshotKeys
import SnapshotState
import SnapshotStore

/// All facts about one spooled picture, so that a drain needs no other file: one line of JSON after the picture's bytes
/// in the same file, which any viewer thus shows as a picture.
package struct SpoolEntry: JSONMapped, Equatable, Sendable {
    package var key = ""
    /// Milliseconds since 1970, by the clock at the time of the capture.
    package var capturedAt: Int64 = 0
    package var camera = ""
    /// Of the picture, lower-case hexadecimal.
    package var sha256 = ""
    package var clock = ClockQuality.trusted
    package var contentType = ""
    /// Of the picture, in bytes.
    package var length = 0
    /// The boot of the capture and the seconds from that boot to it: they give the right time once the clock's error is
    /// known.
    package var boot = ""
    package var up = 0.0

    /// In bytes, with the line feed.
    static let longestLine = 8192

    package init() {}

    package init(_ object: StoredObject, length: Int, takenAt now: Now) {
        key = object.key
        capturedAt = object.capturedAt.milliseconds
        camera = object.camera
        sha256 = object.sha256
        clock = object.clock
        contentType = object.contentType
        self.length = length
        boot = now.boot
        up = now.up
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("key", &key)
        fields.field("captured_at_ms", &capturedAt)
        fields.field("camera", &camera)
        fields.field("sha256", &sha256)
        fields.field("clock", &clock)
        fields.field("content_type", &contentType)
        fields.field("length", &length)
        fields.field("boot", &boot)
        fields.field("up", &up)
    }

    /// The line of JSON after the picture; nil where it would be longer than `longestLine`, the most that a reader
    /// reads. It ends like a record of the state, with `crc`: the CRC-32 of every byte before `,"crc"`.
    var line: [UInt8]? {
        let body = json.bytes.dropLast()
        let bytes = body + Self.end(of: body)
        return bytes.count < Self.longestLine ? bytes + [UInt8(ascii: "\n")] : nil
    }

    private static func end(of body: ArraySlice<UInt8>) -> [UInt8] {
        Array(",\"crc\":\"\(crc32(body).hexadecimal)\"}".utf8)
    }

    /// Whether the line matches its checksum. Entries of earlier versions have none and pass.
    private static func isIntact(_ text: ArraySlice<UInt8>) -> Bool {
        let (body, end) = (text.dropLast(18), text.suffix(18))
        return !end.starts(with: ",\"crc\":\"".utf8) || end.elementsEqual(Self.end(of: body))
    }
}

extension SpoolEntry {
    /// nil where the line is incomplete, damaged or implausible.
    package init?(line: [UInt8]) {
        guard line.last == UInt8(ascii: "\n"), Self.isIntact(line.dropLast()), let json = JSON(line.dropLast()),
            let entry = SpoolEntry(json: json), entry.length > 0, !entry.key.isEmpty, !hasTraversal(entry.key)
        else { return nil }
        self = entry
    }
}

/// The name of one file of the spool: `NUMBER-BYTES.jpg`, in one folder per thousand numbers.
package struct SpoolName: Comparable, Sendable {
    /// The number of the capture. It orders the spool, independently of the clock.
    package let number: Int
    /// The picture's length.
    package let bytes: Int

    init(number: Int, bytes: Int) {
        self.number = number
        self.bytes = bytes
    }

    /// nil for any name that `text` would not produce: an entry under another name would never be found again.
    init?(_ text: String) {
        guard text.hasSuffix(".jpg"), let (first, second) = text.dropLast(4).cutAtFirst("-"),
            let number = Int(decimal: first), let bytes = Int(decimal: second), number > 0, bytes > 0
        else { return nil }
        self.init(number: number, bytes: bytes)
        guard self.text == text, number <= Self.highest, bytes <= Self.mostBytes else { return nil }
    }

    /// No picture is larger. A name that claims more would count so many bytes that others were dropped to make room.
    static let mostBytes = 1 << 30
    /// The last number of twelve digits.
    static let highest = 999_999_999_999

    /// The number after `number`. After the highest comes 1 again: out of order, but still found.
    static func next(after number: Int) -> Int { (1..<highest).contains(number) ? number + 1 : 1 }

    /// The name of the same picture under the next number.
    var next: SpoolName { SpoolName(number: Self.next(after: number), bytes: bytes) }

    package static func < (left: SpoolName, right: SpoolName) -> Bool { left.number < right.number }

    static let perFolder = 1000
    var folder: String { (number / Self.perFolder).padded(12) }
    var text: String { "\(number.padded(12))-\(bytes).jpg" }
}
