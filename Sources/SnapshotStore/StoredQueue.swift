import Glibc
import SnapshotBase

/// One list of what this program wrote into a folder, oldest first: a log, a line a file, and beside it how far deletion
/// has come, which can always be counted anew.
///
/// A line is `BYTES@TIME KEY`; with `BYTES@TIME*OLD KEY` the file took the place of one of OLD bytes under the same key,
/// whose own line stands further up and no longer means anything. Versions up to 0.2.2 wrote `BYTES KEY`.
struct StoredQueue: Sendable {
    struct Line {
        let key: String
        let bytes: Int
        /// When the picture was taken, in milliseconds since 1970; nil in lines of earlier versions.
        let time: Int64?
        /// The size of the file whose place it took.
        let replaced: Int?
        /// Of the line in the log, its newline included.
        let length: Int
    }

    /// The lines from `start` to `end` are alive and stand for `bytes`; those behind `end` aren't counted yet.
    struct Head {
        var inode: UInt = 0
        var start = 0
        var end = 0
        var bytes = 0
        /// How many lines are alive, and how many of them took another's place.
        var lines = 0
        var replacing = 0
    }

    let path: String
    /// How much is read at once.
    static let piece = 1 << 16
    /// How much is counted at once, so that no run takes long over a log of years.
    private static let stretch = 1 << 22

    // MARK: Adding

    /// - Returns: where the line begins, to take it back by.
    func add(key: String, bytes: Int, time: Int64, replacing old: Int?) throws(SystemError) -> off_t {
        let file = try openFile(path, O_WRONLY | O_CREAT | O_APPEND)
        let begin = try file.status().st_size
        try file.write(Self.line(key: key, bytes: bytes, time: time, replacing: old))
        return begin
    }

    static func line(key: String, bytes: Int, time: Int64, replacing old: Int? = nil) -> [UInt8] {
        Array("\(bytes)@\(max(0, time))\(old.map { "*\($0)" } ?? "") \(key)\n".utf8)
    }

    /// Forgets the line that was added last: its file never appeared.
    func takeBack(_ begin: off_t) {
        if let file = try? openFile(path, O_WRONLY) { _ = retrying { ftruncate(file.descriptor, begin) } }
    }

    // MARK: Reading

    /// nil where there is no log. It throws where there is one that can't be read.
    func open() throws(SystemError) -> FileHandle? {
        do throws(SystemError) { return try openFile(path, O_RDONLY) } catch  where error.number == ENOENT {
            return nil
        }
    }

    /// The whole lines of the piece from `offset`, and how much they take. Nothing is taken at the end, or where only
    /// the beginning of a line is there yet. A piece without any line's end is damage, and taken as a whole.
    func lines(
        in log: FileHandle, from offset: Int, limit: Int = piece
    ) throws(SystemError) -> (lines: [Line], taken: Int) {
        guard lseek(log.descriptor, off_t(offset), SEEK_SET) >= 0 else { throw SystemError("lseek") }
        let text = try log.readAll(limit: limit)
        guard let last = text.lastIndex(of: UInt8(ascii: "\n")) else {
            return ([], text.count < limit ? 0 : text.count)
        }
        let lines = text[..<last].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return (lines.map(Line.init), last + 1)
    }

    /// Counts what was added since the head was written, a stretch of it.
    func count(_ log: FileHandle) throws(SystemError) -> Head {
        let facts = try log.status()
        var head = readHead(inode: facts.st_ino, size: Int(facts.st_size))
        let limit = head.end.adding(Self.stretch)
        while head.end < limit {
            let (lines, taken) = try lines(in: log, from: head.end)
            guard taken > 0 else { break }
            for line in lines { head.add(line) }
            head.end += taken
        }
        return head
    }

    /// Whether a line further down says that the file of `line`, at `offset`, was replaced.
    func isReplaced(_ line: Line, at offset: Int, in log: FileHandle, _ head: Head) throws(SystemError) -> Bool {
        var here = offset + line.length
        // Mostly it is the next.
        var limit = 4096
        while head.replacing > 0, here < head.end {
            let (lines, taken) = try lines(in: log, from: here, limit: limit)
            limit = Self.piece
            guard taken > 0 else { break }
            if lines.contains(where: { $0.replaced != nil && $0.key == line.key }) { return true }
            here += taken
        }
        return false
    }

    // MARK: Head

    private var headPath: String { String(path.dropLast(4)) + ".head" }

    private func readHead(inode: UInt, size: Int) -> Head {
        let text = String(decoding: (try? readFile(headPath, limit: 200)) ?? [], as: UTF8.self)
        let numbers = text.split(whereSeparator: { $0 == " " || $0 == "\n" }).compactMap { Int($0) }
        guard numbers.count == 7, numbers[0] == Int(bitPattern: inode), numbers[1...5].allSatisfy({ $0 >= 0 }),
            numbers[1] <= numbers[2], numbers[2] <= size, numbers[6] == numbers[..<6].reduce(0, &+)
        else { return Head(inode: inode) }
        return Head(
            inode: inode, start: numbers[1], end: numbers[2], bytes: numbers[3], lines: numbers[4],
            replacing: numbers[5])
    }

    /// The last number is the sum of the others: a torn file is seen by it.
    func write(_ head: Head) {
        let numbers = [Int(bitPattern: head.inode), head.start, head.end, head.bytes, head.lines, head.replacing]
        let text = (numbers + [numbers.reduce(0, &+)]).map(String.init).joined(separator: " ") + "\n"
        guard let file = try? openFile(headPath, O_WRONLY | O_CREAT | O_TRUNC) else { return }
        try? file.write(Array(text.utf8))
    }
}

extension StoredQueue.Head {
    fileprivate mutating func add(_ line: StoredQueue.Line) {
        bytes = max(0, bytes.adding(-(line.replaced ?? 0))).adding(line.bytes)
        lines += 1
        if line.replaced != nil { replacing += 1 }
    }

    /// The first line means nothing any more.
    mutating func drop(_ line: StoredQueue.Line, wasReplaced: Bool = false) {
        start += line.length
        lines = max(0, lines - 1)
        if wasReplaced { replacing = max(0, replacing - 1) } else { bytes = max(0, bytes.adding(-line.bytes)) }
    }
}

extension StoredQueue.Line {
    fileprivate init(_ text: ArraySlice<UInt8>) {
        let numbers = text.prefix { $0 != 0x20 }
        let parts = numbers.split(maxSplits: 2, omittingEmptySubsequences: false) {
            $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "*")
        }.map { Int(decimal: String(decoding: $0, as: UTF8.self)) }
        bytes = (parts.first ?? nil) ?? 0
        time = parts.count > 1 ? parts[1].map(Int64.init) : nil
        replaced = parts.count > 2 ? parts[2] : nil
        key = String(decoding: text.dropFirst(numbers.count + 1), as: UTF8.self)
        length = text.count + 1
    }
}
