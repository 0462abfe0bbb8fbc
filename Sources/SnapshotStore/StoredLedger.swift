import Glibc
import SnapshotBase

/// What this program wrote into a folder, oldest first: `STATE_PATH/stored.log`, a line `bytes key` each. It lets
/// retention delete the oldest without listing the folder, and nothing that somebody else put there.
///
/// A line is written before its file appears and isn't synced by itself: one that a power cut takes leaves a picture
/// that retention doesn't know, never one that it deletes wrongly. Beside it, `stored.head` says how far deletion has
/// come; it can always be counted anew. Where nothing bounds the folder, what others take out of it is forgotten in time.
struct StoredLedger: Sendable {
    let path: String
    /// The log is written anew without its dead part when that is this long.
    private static let slack = 1 << 20
    /// How much of it is read at once.
    private static let piece = 1 << 16
    /// How much of it is counted at once, so that no run takes long over a log of years.
    private static let stretch = 1 << 22

    /// The lines from `start` to `end` are alive and stand for `bytes`; those behind `end` aren't counted yet.
    private struct Head {
        var inode: UInt = 0
        var start = 0
        var end = 0
        var bytes = 0
    }

    private struct Line {
        let bytes: Int
        let key: String
        /// Of the line in the log, its newline included.
        let length: Int
    }

    /// - Returns: where the line begins, to take it back by.
    func add(key: String, bytes: Int) throws(SystemError) -> off_t {
        let file = try openFile(path, O_WRONLY | O_CREAT | O_APPEND)
        let begin = try file.status().st_size
        try file.write(Array("\(bytes) \(key)\n".utf8))
        return begin
    }

    /// Forgets the line that was added last: its file never appeared.
    func takeBack(_ begin: off_t) {
        if let file = try? openFile(path, O_WRONLY) { _ = retrying { ftruncate(file.descriptor, begin) } }
    }

    /// Deletes the oldest files beyond the bounds; never `kept`, never one that isn't in the ledger. Whatever fails
    /// leaves files where they are.
    /// - Returns: whether anything was deleted.
    @discardableResult
    func retain(in settings: FilesystemSettings, keeping kept: String) -> Bool {
        guard let log = try? openFile(path, O_RDONLY), let facts = try? log.status() else { return false }
        guard settings.maxBytes != nil || settings.maxAge != nil || settings.minFree != nil else {
            forgetGone(log, size: Int(facts.st_size), settings)
            return false
        }
        var head = readHead(inode: facts.st_ino, size: Int(facts.st_size))
        let limit = head.end + Self.stretch
        while head.end < limit {
            let more = lines(in: log, from: head.end)
            if more.isEmpty { break }
            for line in more {
                head.end += line.length
                head.bytes = head.bytes.adding(line.bytes)
            }
        }
        let before = head.start
        deletion: while head.start < head.end {
            for line in lines(in: log, from: head.start) {
                guard line.key != kept, delete(line, settings, total: head.bytes) else { break deletion }
                head.start += line.length
                head.bytes = head.bytes.adding(-line.bytes)
            }
        }
        let hasDeleted = head.start > before
        if head.start > Self.slack, let inode = rewrite(log, from: head.start) {
            (head.inode, head.end, head.start) = (inode, head.end - head.start, 0)
        }
        writeHead(head)
        return hasDeleted
    }

    /// Where nothing is deleted from here, somebody else may: a long log loses its beginning once all of that is gone.
    private func forgetGone(_ log: FileHandle, size: Int, _ settings: FilesystemSettings) {
        guard size > Self.slack else { return }
        let oldest = lines(in: log, from: 0)
        guard oldest.allSatisfy({ !fileExists(settings.path + "/" + $0.key) }) else { return }
        _ = rewrite(log, from: oldest.reduce(0) { $0 + $1.length })
    }

    /// Deletes one file if it is beyond the bounds. False: it stays, and so do all that are younger.
    private func delete(_ line: Line, _ settings: FilesystemSettings, total: Int) -> Bool {
        // No key leads out of the folder; a damaged line might.
        guard !hasTraversal(line.key) else { return true }
        let target = settings.path + "/" + line.key
        // Gone already, or no longer what was written: not ours to delete, and no longer counted.
        guard let facts = fileStatus(target), facts.st_mode & S_IFMT == S_IFREG, Int(facts.st_size) == line.bytes
        else {
            return true
        }
        let age = Timestamp.now().milliseconds - Timestamp(facts.st_mtim).milliseconds
        let isOld = settings.maxAge.map { age > Int64($0.milliseconds) } ?? false
        let isTooMuch = settings.maxBytes.map { total > $0 } ?? false
        guard isOld || isTooMuch || lacksRoom(settings), removeFile(target) else { return false }
        var parent = parentDirectory(target)
        while parent.utf8.count > settings.path.utf8.count, removeFolder(parent) {
            parent = parentDirectory(parent)
        }
        return true
    }

    private func lacksRoom(_ settings: FilesystemSettings) -> Bool {
        guard let wanted = settings.minFree, let free = freeBytes(settings.path) else { return false }
        return free < wanted
    }

    /// The whole lines of the piece from `offset`.
    private func lines(in log: FileHandle, from offset: Int) -> [Line] {
        guard lseek(log.descriptor, off_t(offset), SEEK_SET) >= 0, let text = try? log.readAll(limit: Self.piece),
            let last = text.lastIndex(of: UInt8(ascii: "\n"))
        else { return [] }
        return text[..<last].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            line in
            let digits = line.prefix { $0 != 0x20 }
            let bytes = Int(decimal: String(decoding: digits, as: UTF8.self)) ?? 0
            return Line(
                bytes: bytes, key: String(decoding: line.dropFirst(digits.count + 1), as: UTF8.self),
                length: line.count + 1)
        }
    }

    /// Writes the log anew without what stands before `start`.
    /// - Returns: the new file's inode; nil where it stays as it was.
    private func rewrite(_ log: FileHandle, from start: Int) -> UInt? {
        guard lseek(log.descriptor, off_t(start), SEEK_SET) >= 0 else { return nil }
        do throws(SystemError) {
            try writeDurably(to: path, temporary: path + ".new", mode: 0o600) { file throws(SystemError) in
                while true {
                    let piece = try log.readAll(limit: Self.piece)
                    if piece.isEmpty { return }
                    try file.write(piece)
                }
            }
        } catch { return nil }
        return fileStatus(path)?.st_ino
    }

    private var headPath: String { parentDirectory(path) + "/stored.head" }

    private func readHead(inode: UInt, size: Int) -> Head {
        let text = String(decoding: (try? readFile(headPath, limit: 200)) ?? [], as: UTF8.self)
        let numbers = text.split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap { Int($0) }
        guard numbers.count == 5, numbers[0] == Int(bitPattern: inode), (0...numbers[2]).contains(numbers[1]),
            numbers[2] <= size, numbers[4] == numbers[..<4].reduce(0, &+)
        else { return Head(inode: inode) }
        return Head(inode: inode, start: numbers[1], end: numbers[2], bytes: numbers[3])
    }

    /// The last number is the sum of the others: a torn file is seen by it.
    private func writeHead(_ head: Head) {
        let numbers = [Int(bitPattern: head.inode), head.start, head.end, head.bytes]
        let text = (numbers + [numbers.reduce(0, &+)]).map(String.init).joined(separator: " ") + "\n"
        guard let file = try? openFile(headPath, O_WRONLY | O_CREAT | O_TRUNC) else { return }
        try? file.write(Array(text.utf8))
    }
}
