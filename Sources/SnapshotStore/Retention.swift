import Glibc
import SnapshotBase
import SnapshotKeys

/// One round of retention: deletes the oldest files of the ledger until the limits are kept. It never deletes a newer
/// file before an older one, or a file that isn't in the ledger. After an error it deletes no further file.
struct Retention {
    /// One list of the ledger, how far deletion has come in it, and its next lines.
    private struct ListReader {
        let list: StoredList
        let log: FileHandle
        var head: StoredList.Head
        var lines: ArraySlice<StoredList.Line> = []

        /// The next line; nil at the end.
        mutating func first() throws(SystemError) -> StoredList.Line? {
            // Usually only the first line is needed.
            var limit = 4096
            while lines.isEmpty, head.start < head.end {
                let (more, taken) = try list.lines(in: log, from: head.start, limit: limit)
                guard taken > 0 else { return nil }
                if more.isEmpty { head.start += taken }
                lines = more[...]
                limit = StoredList.piece
            }
            return head.start < head.end ? lines.first : nil
        }
    }

    private let settings: FilesystemSettings
    /// The key that was stored just now; its file is never deleted.
    private let kept: String
    /// The latest capture time, in milliseconds since 1970, of files that may be deleted.
    private let latest: Int64
    private var readers: [ListReader] = []
    private var total: Int { readers.reduce(0) { $0.adding($1.head.bytes) } }
    /// Bytes to free, and bytes freed so far.
    private var wanted = 0
    private var freed = 0
    private(set) var hasDeleted = false
    /// Whether a limit can't be kept by deleting our files.
    private(set) var isFull = false

    /// - Parameters:
    ///   - room: bytes to free, whatever the limits say.
    ///   - latest: the capture time of the picture that needs the room; no newer one is deleted for it.
    init(
        _ ledger: StoredLedger, _ settings: FilesystemSettings, keeping kept: String, room: Int = 0,
        latest: Timestamp? = nil
    ) throws(SystemError) {
        self.settings = settings
        self.kept = kept
        self.latest = latest?.milliseconds ?? .max
        for list in [ledger.direct, ledger.late] {
            guard var log = try list.open() else { continue }
            var head = try list.count(log)
            if try list.tidy(log, &head) {
                list.write(head)
                log = try list.open() ?? log
            }
            readers.append(ListReader(list: list, log: log, head: head))
        }
        wanted = max(room, missingRoom())
    }

    /// The bytes to free for LOCAL_STORAGE_MIN_FREE. Where deleting all our pictures wouldn't suffice, something else
    /// fills the disk: ours stay, as long as a little space is left (5 % of the disk, at most 64 MiB).
    private mutating func missingRoom() -> Int {
        guard let least = settings.minFree, let (free, size) = spaceOfDisk(settings.path), free < least else {
            return 0
        }
        if free.adding(total) >= least { return least - free }
        isFull = true
        return max(0, min(least, 64 << 20, size / 20) - free)
    }

    mutating func run() throws(SystemError) {
        defer { finish() }
        while let (index, line) = try oldest() {
            let target = settings.path + "/" + line.key
            // No key of ours leads out of the folder, but a damaged line might.
            if hasTraversal(line.key) {
                drop(line, of: index)
                continue
            }
            if try isReplaced(line, of: index) {
                drop(line, of: index, wasReplaced: true)
                continue
            }
            // A file that is gone or has another size isn't the one that was written: keep it, and count it no longer.
            guard let facts = try lookUp(target), facts.st_mode & S_IFMT == S_IFREG, Int(facts.st_size) == line.bytes
            else {
                drop(line, of: index)
                continue
            }
            guard line.key != kept else { return noteFull(isLast: readers.allSatisfy { $0.lines.count < 2 }) }
            guard mustBeDeleted(facts) else { return }
            guard (line.time ?? 0) <= latest else { return noteFull(isLast: true) }
            guard removeFile(target) else { return noteFull(isLast: true) }
            (hasDeleted, freed) = (true, freed.adding(line.bytes))
            var parent = parentDirectory(target)
            while parent.utf8.count > settings.path.utf8.count, removeFolder(parent) {
                parent = parentDirectory(parent)
            }
            drop(line, of: index)
        }
    }

    private func mustBeDeleted(_ facts: stat) -> Bool {
        let age = settings.context.clock.wall().milliseconds - Timestamp(facts.st_mtim).milliseconds
        return settings.maxAge.map { age > Int64($0.milliseconds) } ?? false || isTooMuch
    }

    private var isTooMuch: Bool { settings.maxBytes.map { total > $0 } ?? false || freed < wanted }

    /// If nothing more can be deleted (`isLast`), notes whether a limit is still exceeded.
    private mutating func noteFull(isLast: Bool) { if isLast, isTooMuch { isFull = true } }

    /// The list whose next line is older, and that line. Lines of earlier versions, without a time, come first.
    private mutating func oldest() throws(SystemError) -> (Int, StoredList.Line)? {
        var found: (Int, StoredList.Line)?
        for index in readers.indices {
            guard let line = try readers[index].first() else { continue }
            if let other = found?.1, (other.time ?? 0) <= (line.time ?? 0) { continue }
            found = (index, line)
        }
        return found
    }

    private func isReplaced(_ line: StoredList.Line, of index: Int) throws(SystemError) -> Bool {
        let reader = readers[index]
        return try reader.list.isReplaced(line, at: reader.head.start, in: reader.log, reader.head)
    }

    private mutating func drop(_ line: StoredList.Line, of index: Int, wasReplaced: Bool = false) {
        readers[index].head.drop(line, wasReplaced: wasReplaced)
        _ = readers[index].lines.popFirst()
    }

    private mutating func finish() {
        for index in readers.indices {
            _ = try? readers[index].list.tidy(readers[index].log, &readers[index].head)
            readers[index].list.write(readers[index].head)
        }
    }
}

/// Free space for an ordinary user on the disk of `path`, and the disk's size, in bytes; nil where statvfs fails.
private func spaceOfDisk(_ path: String) -> (free: Int, size: Int)? {
    var facts = statvfs()
    guard statvfs(path, &facts) == 0 else { return nil }
    let unit = Int(clamping: facts.f_frsize)
    return (Int(clamping: facts.f_bavail).times(unit), Int(clamping: facts.f_blocks).times(unit))
}
