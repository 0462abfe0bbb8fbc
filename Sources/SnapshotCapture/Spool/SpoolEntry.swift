import SnapshotBase
import SnapshotState
import SnapshotStore

/// Everything about one spooled picture, so that a drain needs nothing else: one line of JSON behind the picture's bytes
/// in the same file, which thus shows the picture in any viewer.
package struct SpoolEntry: JSONMapped, Equatable, Sendable {
    package var key = ""
    /// Milliseconds since 1970, as given out at capture.
    package var capturedAt: Int64 = 0
    package var camera = ""
    package var sha256 = ""
    package var clock = ClockQuality.synced
    package var contentType = ""
    package var length = 0
    /// The boot of the capture and the seconds since then: they tell the time once the clock is known to be wrong.
    package var boot = ""
    package var up = 0.0

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

    /// What stands behind the picture; nil where it would be too long to be found again. It ends like a record of the
    /// state, with `crc`: the CRC-32 of every byte before `,"crc"`.
    var line: [UInt8]? {
        let facts = json.bytes.dropLast()
        let bytes = facts + Self.end(of: facts)
        return bytes.count < Self.longestLine ? bytes + [UInt8(ascii: "\n")] : nil
    }

    private static func end(of facts: ArraySlice<UInt8>) -> [UInt8] {
        Array(",\"crc\":\"\(crc32(facts).hexadecimal)\"}".utf8)
    }

    /// Whether the facts are those that were written. Entries of earlier versions don't tell.
    private static func isIntact(_ text: ArraySlice<UInt8>) -> Bool {
        let (facts, end) = (text.dropLast(18), text.suffix(18))
        return !end.starts(with: ",\"crc\":\"".utf8) || end.elementsEqual(Self.end(of: facts))
    }
}

extension SpoolEntry {
    /// nil where the line isn't whole, or not what was written.
    package init?(line: [UInt8]) {
        guard line.last == UInt8(ascii: "\n"), Self.isIntact(line.dropLast()), let json = JSON(line.dropLast()),
            let entry = SpoolEntry(json: json), entry.length > 0, !entry.key.isEmpty, !hasTraversal(entry.key)
        else { return nil }
        self = entry
    }
}

/// One file of the spool, as its name tells: `NUMBER-BYTES.jpg`, in a folder for each thousand numbers.
package struct SpoolName: Comparable, Sendable {
    /// Counts captures; orders the spool, whatever the clock said.
    package let number: Int
    /// Of the picture.
    package let bytes: Int

    init(number: Int, bytes: Int) {
        self.number = number
        self.bytes = bytes
    }

    /// nil for every name but the one that its picture is written under: any other would never be found again.
    init?(_ text: String) {
        guard text.hasSuffix(".jpg"), let (first, second) = text.dropLast(4).cutAtFirst("-"),
            let number = Int(decimal: first), let bytes = Int(decimal: second), number > 0, bytes > 0
        else { return nil }
        self.init(number: number, bytes: bytes)
        guard self.text == text, number <= Self.highest, bytes <= Self.mostBytes else { return nil }
    }

    /// No picture is larger: a name that says so would have others dropped to make room.
    static let mostBytes = 1 << 30
    /// The last number that has twelve digits.
    static let highest = 999_999_999_999

    /// The number behind `number`. After the highest the first comes again: out of order, but found.
    static func next(after number: Int) -> Int { (1..<highest).contains(number) ? number + 1 : 1 }

    /// The name of the same picture under the next number.
    var next: SpoolName { SpoolName(number: Self.next(after: number), bytes: bytes) }

    package static func < (left: SpoolName, right: SpoolName) -> Bool { left.number < right.number }

    static let perFolder = 1000
    var folder: String { (number / Self.perFolder).padded(12) }
    var text: String { "\(number.padded(12))-\(bytes).jpg" }
}
