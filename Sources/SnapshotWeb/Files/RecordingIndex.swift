import Glibc
import SnapshotBase
import SnapshotState

/// All recordings of all cameras, newest first. The relay names a recording after the second at which it begins; a file
/// with any other name is dated by its last modification.
struct RecordingIndex {
    /// One recording, kept small: there can be half a million of them.
    private struct Entry {
        let begin: Timestamp
        let folder: Int
        /// Nil where the name is the one that the relay derives from `begin`.
        let name: String?
    }

    /// The recordings that begin on the same local day or in the same hour, as a range of positions in the index.
    struct Group {
        /// `2026-01-21` for a day, `14` for an hour.
        let name: String
        var range: Range<Int>
    }

    private var folders: [[String]] = []
    private var entries: [Entry] = []
    private(set) var areUnreadable = false
    /// Whether some recordings are left out because there are more than `mostNames` names.
    private(set) var isCut = false
    private(set) var days: [Group] = []

    private static let mostNames = 500_000
    private static let deepest = 4

    /// - Parameters:
    ///   - roots: the folders that hold recordings, and the path components that precede the names found there.
    ///   - isRecording: whether a file of this name is a recording.
    init(_ roots: [(path: String, names: [String])], isRecording: (String) -> Bool) {
        var open = roots.map { (path: $0.path, names: $0.names, depth: 1) }
        var left = Self.mostNames
        while let folder = open.popLast() {
            do throws(SystemError) {
                let names = try listDirectory(folder.path)
                isCut = isCut || names.count > left
                let examined = names.prefix(left)
                left -= examined.count
                folders.append(folder.names)
                entries.reserveCapacity(entries.count + examined.count)
                for name in examined where !name.hasPrefix(".") && Target.isServed(name) {
                    if let inner = add(name, at: folder.path, isRecording), folder.depth < Self.deepest {
                        open.append((inner, folder.names + [name], folder.depth + 1))
                    }
                }
            } catch {
                if error.number == EACCES { areUnreadable = true }
            }
        }
        entries.sort { ($0.begin, $0.name ?? "") > ($1.begin, $1.name ?? "") }
        days = groups(in: entries.indices) { "\($0.year)-\($0.month)-\($0.day)" }
    }

    /// Adds a directory entry that is a recording.
    /// - Returns: the entry's path where it is a folder.
    private mutating func add(_ name: String, at path: String, _ isRecording: (String) -> Bool) -> String? {
        let folder = folders.count - 1
        if let begin = Timestamp(recording: name) {
            let isPlain = name == begin.amzDate + ".mp4"
            entries.append(Entry(begin: begin, folder: folder, name: isPlain ? nil : name))
            return nil
        }
        var status = stat()
        guard lstat(path + "/" + name, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return path + "/" + name
        case S_IFREG where isRecording(name):
            entries.append(Entry(begin: Timestamp(status.st_mtim), folder: folder, name: name))
        default: break
        }
        return nil
    }

    var all: Range<Int> { entries.indices }

    /// The hours of a day that have recordings, the latest first.
    func hours(in day: Range<Int>) -> [Group] { groups(in: day) { $0.hour } }

    /// A recording's path components, and when it begins.
    func recording(_ index: Int) -> (names: [String], begin: Timestamp) {
        let entry = entries[index]
        return (folders[entry.folder] + [entry.name ?? entry.begin.amzDate + ".mp4"], entry.begin)
    }

    private func groups(in range: Range<Int>, by name: (Timestamp.Fields) -> String) -> [Group] {
        var groups: [Group] = []
        var quarter: Int64?
        var current = ""
        for index in range {
            // Offsets from UTC are multiples of a quarter of an hour, so the local hour can't change within a quarter:
            // the conversion, which is slow, is made once for each.
            let present = entries[index].begin.milliseconds / 900_000
            if quarter != present { (quarter, current) = (present, name(entries[index].begin.local.fields)) }
            if groups.last?.name == current {
                groups[groups.count - 1].range = groups[groups.count - 1].range.lowerBound..<index + 1
            } else {
                groups.append(Group(name: current, range: index..<index + 1))
            }
        }
        return groups
    }
}

extension Timestamp {
    /// The start time in a name that the relay gives: `20260121T103045Z.mp4` or `20260121T103045Z-2.mp4`.
    init?(recording name: String) {
        let bytes = Array(name.utf8)
        guard (20...25).contains(bytes.count), name.hasSuffix(".mp4"), bytes[8] == UInt8(ascii: "T"),
            bytes[15] == UInt8(ascii: "Z"), bytes.count == 20 || bytes[16] == UInt8(ascii: "-")
        else { return nil }
        func number(_ range: Range<Int>) -> Int32? {
            var value: Int32 = 0
            for byte in bytes[range] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int32(byte - 48)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
            let minute = number(11..<13), let second = number(13..<15), (1...12).contains(month),
            (1...31).contains(day), hour < 24, minute < 60, second <= 60, number(17..<max(17, bytes.count - 4)) != nil
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, month - 1, day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
        self.init(seconds: timegm(&parts))
    }
}
