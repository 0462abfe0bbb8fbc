import SnapshotBase

/// ffmpeg's list of the recordings that it has finished in a run: `1769000000000.csv`, with lines of name, start and
/// end in seconds such as `1769000000000-7.mp4,420.000000,480.040000`. Its times are right even if a folder that hung
/// delayed a file's creation.
enum SegmentList {
    /// The number of entries: more recordings than ffmpeg's queue can hold.
    static let length = 100

    struct Row: Equatable {
        var name: NumberedName
        /// Start and end in the stream's time, in milliseconds.
        var begin: Int64
        var end: Int64
    }

    static func name(_ run: Int64) -> String { "\(run).csv" }

    static func isOne(_ name: String) -> Bool {
        let stem = name.hasSuffix(".tmp") ? name.dropLast(4) : name[...]
        return stem.hasSuffix(".csv") && Int64(stem.dropLast(4)) != nil
    }

    static func rows(_ text: String) -> [Row] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard fields.count == 3, let name = NumberedName(String(fields[0])), let begin = milliseconds(fields[1]),
                let end = milliseconds(fields[2])
            else { return nil }
            return Row(name: name, begin: begin, end: end)
        }
    }

    private static func milliseconds(_ text: Substring) -> Int64? {
        // Larger values are no stream time, and might not fit into Int64.
        guard let seconds = Double(text), abs(seconds) < 1e10 else { return nil }
        return Int64(seconds * 1000)
    }
}
