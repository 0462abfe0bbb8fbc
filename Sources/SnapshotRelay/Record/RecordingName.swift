import SnapshotBase

/// The name of a recording: `20260121T103045Z.mp4`, and `20260121T103045Z-2.mp4` for a second one that begins in the
/// same second.
package struct RecordingName: Hashable, Comparable, Sendable {
    /// When the recording begins, in whole seconds.
    package var begin: Timestamp
    /// 2 or more for further recordings that begin in the same second.
    package var copy = 1

    init(begin: Timestamp) {
        // The name has a resolution of one second.
        self.begin = Timestamp(milliseconds: begin.milliseconds - begin.milliseconds % 1000)
    }

    /// nil for any other name.
    package init?(_ text: String) {
        guard text.hasSuffix(".mp4") else { return nil }
        let stem = Array(text.dropLast(4))
        guard stem.count >= 16, stem.allSatisfy(\.isASCII), stem[8] == "T", stem[15] == "Z" else { return nil }
        func part(_ range: Range<Int>) -> String { String(stem[range]) }
        let iso = "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z"
        guard let begin = Timestamp(iso8601: iso) else { return nil }
        self.begin = begin
        if stem.count > 16 {
            guard stem[16] == "-", let copy = Int(part(17..<stem.count)), (2...9999).contains(copy) else { return nil }
            self.copy = copy
        }
        guard self.text == text else { return nil }
    }

    package var text: String { begin.amzDate + (copy > 1 ? "-\(copy)" : "") + ".mp4" }

    package static func < (left: RecordingName, right: RecordingName) -> Bool {
        (left.begin, left.copy) < (right.begin, right.copy)
    }
}

/// The name that ffmpeg gives a recording: `1769000000000-7.mp4`, the run and a number in that run. Up to version 0.2.2
/// it was the number alone.
struct NumberedName: Comparable, Sendable {
    let text: String
    let run: Int64
    let number: Int

    /// The name of the next recording in the same run.
    var next: String { "\(run)-\(number.adding(1)).mp4" }

    /// nil for any other name.
    init?(_ text: String) {
        guard text.hasSuffix(".mp4") else { return nil }
        let parts = text.dropLast(4).split(separator: "-", omittingEmptySubsequences: false)
        let run = parts.count == 2 ? Int64(parts[0]) : 0
        guard (1...2).contains(parts.count), let run, run >= 0, let number = Int(parts[parts.count - 1]), number >= 0
        else {
            return nil
        }
        (self.text, self.run, self.number) = (text, run, number)
    }

    static func < (one: NumberedName, other: NumberedName) -> Bool { (one.run, one.number) < (other.run, other.number) }
}
