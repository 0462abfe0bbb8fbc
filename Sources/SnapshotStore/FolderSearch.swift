import Glibc
import SnapshotBase
import SnapshotKeys

/// Searches a folder for pictures that were stored before this ledger began (files whose names match KEY_TEMPLATE), and
/// adds them to it, so that retention deletes them before newer ones. A large folder is searched over several runs,
/// subfolder by subfolder in the order of their names.
struct FolderSearch {
    static let fileName = "stored-found.log"
    /// The time per run.
    private static let share = Duration.milliseconds(500)
    /// Beyond this many lines the pictures stay in the order in which they were found, which saves the cost of sorting.
    private static let mostSorted = 1_000_000

    let folder: String
    let shape: KeyShape
    let ledger: StoredLedger
    private(set) var progress: FolderMemory.SearchProgress
    private var found: StoredList { StoredList(path: ledger.statePath + "/" + Self.fileName) }
    private let deadline = Deadline.after(share)

    init(of folder: String, _ shape: KeyShape, into ledger: StoredLedger, _ progress: FolderMemory.SearchProgress) {
        (self.folder, self.shape, self.ledger, self.progress) = (folder, shape, ledger, progress)
    }

    /// - Returns: whether the search is complete; otherwise `progress` says where to go on.
    mutating func run() throws(SystemError) -> Bool {
        let file = try openFile(found.path, O_WRONLY | O_CREAT | O_APPEND | (progress.done == nil ? O_TRUNC : 0))
        let done = progress.done.map { $0.isEmpty ? [] : $0[...].cut(at: "/")[...] }
        guard try look(through: Folder(folder), key: "", at: 0, after: done, file) else { return false }
        try finish()
        return true
    }

    /// - Parameter done: the rest of the path to the folder searched last; nil where that isn't below this one.
    private mutating func look(
        through here: Folder, key: String, at depth: Int, after done: ArraySlice<Substring>?, _ file: FileHandle
    ) throws(SystemError) -> Bool {
        let names = try here.names().filter { shape.matches($0, at: depth) }
        guard depth + 1 < shape.depth else {
            if done == nil { try add(names, in: here, key: key, file) }
            return !deadline.hasPassed
        }
        for name in names.sorted() {
            let last = done?.first
            if let last, name < last { continue }
            let inner: Folder
            do throws(SystemError) { inner = try here.folder(name) } catch
                where
                [ENOENT, ENOTDIR, ELOOP, EACCES].contains(error.number)
            { continue }
            let rest = last.map { $0 == name } == true ? done?.dropFirst() : nil
            guard try look(through: inner, key: key + name + "/", at: depth + 1, after: rest, file) else {
                return false
            }
        }
        return true
    }

    private mutating func add(_ names: [String], in here: Folder, key: String, _ file: FileHandle) throws(SystemError) {
        var lines: [UInt8] = []
        for name in names {
            guard let facts = here.status(name), facts.st_mode & S_IFMT == S_IFREG else { continue }
            let time = shape.time(of: key + name) ?? Timestamp(facts.st_mtim)
            guard time.milliseconds < Int64(progress.before) else { continue }
            lines += StoredList.line(key: key + name, bytes: Int(facts.st_size), time: time.milliseconds)
        }
        try file.write(lines)
        progress.done = withoutSlashAtEnd(key)
    }

    /// Puts the found pictures, in the order of capture, before the lines of `stored-late.log`.
    private func finish() throws(SystemError) {
        guard let log = try found.open() else { return }
        let size = Int(try log.status().st_size)
        var index: [(time: Int64, offset: Int, length: Int)] = []
        var isSorted = true
        try found.forEachLine(log, from: 0, to: size) { line, offset throws(SystemError) in
            let time = line.time ?? 0
            if let last = index.last, last.time > time { isSorted = false }
            index.append((time, offset, line.length))
        }
        if !isSorted, index.count <= Self.mostSorted { index.sort { $0.time < $1.time } }
        let late = try lateLines()
        let known = Set(late.map(\.key))
        try writeDurably(to: ledger.late.path, temporary: ledger.late.path + ".new", mode: 0o600) {
            file throws(SystemError) in
            var lines: [UInt8] = []
            var last = ""
            for entry in index {
                guard let line = try found.lines(in: log, from: entry.offset, limit: entry.length).lines.first else {
                    continue
                }
                // A run that was killed before it noted its progress has left these lines twice.
                guard line.key != last, !known.contains(line.key) else { continue }
                last = line.key
                lines += StoredList.line(key: line.key, bytes: line.bytes, time: entry.time)
                if lines.count > StoredList.piece {
                    try file.write(lines)
                    lines = []
                }
            }
            for line in late { lines += StoredList.line(key: line.key, bytes: line.bytes, time: line.time ?? 0) }
            try file.write(lines)
        }
        removeFile(found.path)
    }

    private func lateLines() throws(SystemError) -> [StoredList.Line] {
        guard let log = try ledger.late.open() else { return [] }
        var lines: [StoredList.Line] = []
        try ledger.late.forEachLine(log, from: 0, to: Int(try log.status().st_size)) { line, _ throws(SystemError) in
            lines.append(line)
        }
        return lines
    }
}
