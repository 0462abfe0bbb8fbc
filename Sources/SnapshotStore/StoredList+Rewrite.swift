import Glibc
import SnapshotBase

/// Rewrites a log that contains many dead lines: of files that were deleted or replaced.
extension StoredList {
    /// The most bytes of dead lines at the beginning.
    private static let slack = 1 << 20
    /// The most lines of files that were replaced.
    private static let mostReplaced = 256
    /// The longest log, in bytes, that is searched for repeated keys: the search must not take long.
    private static let longest = 1 << 24

    /// Rewrites the log without its dead lines, if there are too many.
    /// - Returns: whether the log was rewritten; `head` then belongs to the new one.
    @discardableResult
    func tidy(_ log: FileHandle, _ head: inout Head) throws(SystemError) -> Bool {
        let inode = head.inode
        if head.replacing > max(Self.mostReplaced, head.lines / 2) {
            try keepLast(log, &head)
        } else if head.start > Self.slack {
            let (start, end) = (head.start, Int(try log.status().st_size))
            head.inode = try rewrite { file throws(SystemError) in try copy(log, from: start, to: end, into: file) }
            head.end -= start
            head.start = 0
        }
        return head.inode != inode
    }

    /// Rewrites the log with only the last line of each key; files that are overwritten have many.
    func keepLast(_ log: FileHandle, _ head: inout Head) throws(SystemError) {
        let size = Int(try log.status().st_size)
        guard size - head.start <= Self.longest else { return }
        var last: [UInt64: Int] = [:]
        try forEachLine(log, from: head.start, to: size) { line, offset throws(SystemError) in
            last[digest(line.key)] = offset
        }
        let start = head.start
        var (length, bytes, count) = (0, 0, 0)
        let inode = try rewrite { file throws(SystemError) in
            var pieces: [UInt8] = []
            try forEachLine(log, from: start, to: size) { line, offset throws(SystemError) in
                guard last[digest(line.key)] == offset else { return }
                let text = line.time.map { Self.line(key: line.key, bytes: line.bytes, time: $0) }
                pieces += text ?? Array("\(line.bytes) \(line.key)\n".utf8)
                bytes = bytes.adding(line.bytes)
                count += 1
            }
            try file.write(pieces)
            length = pieces.count
        }
        head = Head(inode: inode, end: length, bytes: bytes, lines: count)
    }

    func forEachLine(
        _ log: FileHandle, from start: Int, to end: Int, _ body: (Line, _ offset: Int) throws(SystemError) -> Void
    ) throws(SystemError) {
        var here = start
        while here < end {
            let (lines, taken) = try lines(in: log, from: here)
            guard taken > 0 else { return }
            var offset = here
            for line in lines {
                try body(line, offset)
                offset += line.length
            }
            here += taken
        }
    }

    private func copy(_ log: FileHandle, from start: Int, to end: Int, into file: FileHandle) throws(SystemError) {
        guard lseek(log.descriptor, off_t(start), SEEK_SET) >= 0 else { throw SystemError("lseek") }
        var left = end - start
        while left > 0 {
            let piece = try log.readAll(limit: min(left, Self.piece))
            if piece.isEmpty { return }
            try file.write(piece)
            left -= piece.count
        }
    }

    /// Replaces the log.
    /// - Returns: the new log's inode.
    private func rewrite(_ write: (FileHandle) throws(SystemError) -> Void) throws(SystemError) -> UInt {
        try writeDurably(to: path, temporary: path + ".new", mode: 0o600, write: write)
        return fileStatus(path)?.st_ino ?? 0
    }

    /// FNV-1a, 64 bits.
    private func digest(_ key: String) -> UInt64 {
        key.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// Without retention settings: trims the beginning of a long log once none of its oldest files exists any more.
    func forgetGone(_ log: FileHandle, in folder: String) throws(SystemError) {
        guard Int(try log.status().st_size) > Self.slack else { return }
        let (oldest, taken) = try lines(in: log, from: 0)
        for line in oldest where try lookUp(folder + "/" + line.key) != nil { return }
        guard taken > 0 else { return }
        let size = Int(try log.status().st_size)
        _ = try rewrite { file throws(SystemError) in try copy(log, from: taken, to: size, into: file) }
    }
}
