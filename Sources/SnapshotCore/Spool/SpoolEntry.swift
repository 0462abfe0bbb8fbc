import FoundationEssentials
import SnapshotBase

/// Everything about one spooled picture, so that a drain needs nothing else: one line of JSON behind the picture's bytes
/// in the same file, which thus shows the picture in any viewer.
package struct SpoolEntry: Codable, Equatable, Sendable {
    package var key: String
    /// Milliseconds since 1970, as given out at capture.
    package var capturedAt: Int64
    package var camera: String
    package var sha256: String
    package var clock: ClockQuality
    package var contentType: String
    package var length: Int
    /// The boot of the capture and the seconds since then: they tell the time once the clock is known to be wrong.
    package var boot: String
    package var up: Double

    static let longestLine = 8192

    /// What stands behind the picture.
    var line: [UInt8]? {
        guard let data = try? JSONEncoder().encode(self), data.count < Self.longestLine else { return nil }
        return [UInt8](data) + [UInt8(ascii: "\n")]
    }

    private enum CodingKeys: String, CodingKey {
        case key, camera, sha256, clock, length, boot, up
        case capturedAt = "captured_at_ms"
        case contentType = "content_type"
    }
}

extension SpoolEntry {
    /// nil where the line isn't whole.
    package init?(line: [UInt8]) {
        guard line.last == UInt8(ascii: "\n"),
            let entry = try? JSONDecoder().decode(SpoolEntry.self, from: Data(line.dropLast())), entry.length > 0
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

    init?(_ text: String) {
        guard text.hasSuffix(".jpg") else { return nil }
        let parts = text.dropLast(4).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 12, let number = Int(parts[0]), let bytes = Int(parts[1]),
            number > 0, bytes > 0
        else { return nil }
        self.init(number: number, bytes: bytes)
    }

    package static func < (left: SpoolName, right: SpoolName) -> Bool { left.number < right.number }

    static let perFolder = 1000
    var folder: String { Self.padded(number / Self.perFolder) }
    var text: String { "\(Self.padded(number))-\(bytes).jpg" }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 12 - digits.utf8.count)) + digits
    }
}
