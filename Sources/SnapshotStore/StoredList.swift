import Glibc
import SnapshotBase

/// One of the ledger's lists of files, oldest first: a log with a line per file, and beside it a `.head` file that says
/// how far deletion has come. A lost head is counted anew from the log.
struct StoredList: Sendable {
    /// `BYTES@TIME KEY`. In `BYTES@TIME*OLD KEY` the file replaced one of OLD bytes under the same key, whose own line
    /// is further up and no longer counts. Versions up to 0.2.2 wrote `BYTES KEY`.
    struct Line {
        let key: String
        let bytes: Int
        /// The capture time in milliseconds since 1970; nil in lines of earlier versions.
        let time: Int64?
        /// The size of the file that it replaced, in bytes; nil where it replaced none.
        let replaced: Int?
        /// The line's bytes in the log, with its newline.
        let length: Int
    }

    /// The lines from offset `start` to `end` stand for files that exist, of `bytes` altogether. Earlier lines
    /// no longer count, as their files were deleted, replaced or changed; later lines aren't counted yet.
    struct Head {
        var inode: UInt = 0
        var start = 0
        var end = 0
        var bytes = 0
        /// The number of lines from `start` to `end`, and how many of them have `Line.replaced`.
        var lines = 0
        var replacing = 0
    }

    let path: String
    /// Bytes per read.
    static let piece = 1 << 16
    /// Bytes that are counted in one run, so that no run takes long over a log of years.
    private static let stretch = 1 << 22

    // MARK: Adding

    /// Appends a line and returns its offset, for `takeBack`.
    func add(key: String, bytes: Int, time: Int64, replacing old: Int?) throws(SystemError) -> off_t {
        let file = try openFile(path, O_WRONLY | O_CREAT | O_APPEND)
        let begin = try file.status().st_size
        try file.write(Self.line(key: key, bytes: bytes, time: time, replacing: old))
        return begin
    }

    static func line(key: String, bytes: Int, time: Int64, replacing old: Int? = nil) -> [UInt8] {
        Array("\(bytes)@\(max(0, time))\(old.map { "*\($0)" } ?? "") \(key)\n".utf8)
    }

    /// Removes the line that was added last, as its file was never written.
    func takeBack(_ begin: off_t) {
        if let file = try? openFile(path, O_WRONLY) { _ = retrying { ftruncate(file.descriptor, begin) } }
    }

    // MARK: Reading

    /// nil where there is no log. Throws where there is one that can't be read.
    func open() throws(SystemError) -> FileHandle? {
        do throws(SystemError) { return try openFile(path, O_RDONLY) } catch  where error.number == ENOENT {
            return nil
        }
    }

    /// The complete lines in the piece that begins at `offset`, and their length in bytes: 0 at the end of the log, or
    /// where only the beginning of a line is there. A piece without any newline is damaged, and skipped as a whole.
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

    /// Counts the lines that were added since the head was written, as many as one run may take.
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

    /// Whether a later line says that the file of `line`, at `offset`, was replaced.
    func isReplaced(_ line: Line, at offset: Int, in log: FileHandle, _ head: Head) throws(SystemError) -> Bool {
        var here = offset + line.length
        // Usually it is the next line.
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

    /// The last number is the sum of the others, which reveals a torn file.
    func write(_ head: Head) {
        let numbers = [Int(bitPattern: head.inode), head.start, head.end, head.bytes, head.lines, head.replacing]
        let text = (numbers + [numbers.reduce(0, &+)]).map(String.init).joined(separator: " ") + "\n"
        guard let file = try? openFile(headPath, O_WRONLY | O_CREAT | O_TRUNC) else { return }
        try? file.write(Array(text.utf8))
    }
}

extension StoredList.Head {
    fileprivate mutating func add(_ line: StoredList.Line) {
        bytes = max(0, bytes.adding(-(line.replaced ?? 0))).adding(line.bytes)
        lines += 1
        if line.replaced != nil { replacing += 1 }
    }

    /// Moves past the first line, whose file was deleted, replaced or lost.
    mutating func drop(_ line: StoredList.Line, wasReplaced: Bool = false) {
        start += line.length
        lines = max(0, lines - 1)
        if wasReplaced { replacing = max(0, replacing - 1) } else { bytes = max(0, bytes.adding(-line.bytes)) }
    }
}

extension StoredList.Line {
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
