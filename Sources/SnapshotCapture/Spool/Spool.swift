import Glibc
import SnapshotBase
import SnapshotState

/// Pictures that a store has not acknowledged yet: `STATE_PATH/spool`, a file each, oldest first, bounded.
///
/// Maildir's rules: an entry is written under `tmp`, synced, renamed into its folder, and the folder synced, so what
/// stands in a folder is whole. It leaves only after the store's acknowledgement, or to make room, which is counted.
/// What it holds is known from the state, not by listing; `dirty` stands there while the two may differ.
package struct Spool: Sendable {
    package let path: String
    /// As the next record will have it. The caller records it before `settled`.
    package var figures: SpoolFigures
    private var isMarked = false
    private var staysMarked = false
    /// Folders that entries have left since the last `syncRemovals`.
    private var left: [String] = []

    package init(statePath: String, figures: SpoolFigures) {
        path = statePath + "/spool"
        self.figures = figures
    }

    // MARK: What is there

    /// Whether a run changed the spool and didn't live to record it.
    package var isDirty: Bool { fileStatus(path + "/dirty") != nil }

    /// Removes what a killed run left half-written.
    package func sweep() {
        for name in (try? listDirectory(path + "/tmp")) ?? [] { removeFile(path + "/tmp/" + name) }
    }

    /// Every entry, oldest first, by listing: slow in a large spool.
    package func list() throws(SystemError) -> [SpoolName] {
        var all: [SpoolName] = []
        for folder in try folders() { all += try entries(in: folder) }
        return all
    }

    /// The oldest entries with numbers above `number`, those of one folder at most: cheap.
    package func oldest(after number: Int = -1) throws(SystemError) -> [SpoolName] {
        for folder in try folders() {
            let found = try entries(in: folder).filter { $0.number > number }
            if !found.isEmpty { return found }
        }
        return []
    }

    private func folders() throws(SystemError) -> [String] {
        try names(in: path).filter {
            $0.utf8.count == 12 && $0.utf8.allSatisfy { (48...57).contains($0) }
        }
        .sorted()
    }

    private func entries(in folder: String) throws(SystemError) -> [SpoolName] {
        try names(in: path + "/" + folder).compactMap(SpoolName.init).filter { $0.folder == folder }.sorted()
    }

    /// None where there is no such folder; one that can't be read tells nothing about what is in it.
    private func names(in folder: String) throws(SystemError) -> [String] {
        do throws(SystemError) { return try listDirectory(folder) } catch {
            if error.number == ENOENT { return [] }
            throw error
        }
    }

    private func path(of name: SpoolName) -> String { "\(path)/\(name.folder)/\(name.text)" }

    // MARK: Changes

    /// Adds a picture. Room is made first: the oldest go, after `commit` has recorded that they are given up.
    /// - Throws: `Failure` of kind spool where there is no room or it can't be written; the picture then isn't in it.
    package mutating func add(
        _ entry: SpoolEntry, _ picture: [UInt8], number: Int, maxBytes: Int, minFree: Int,
        commit: (SpoolFigures) -> Void
    ) throws(Failure) -> SpoolName {
        guard let line = entry.line else { throw full("its key is too long") }
        guard picture.count <= maxBytes else {
            throw full("the picture is larger than SPOOL_MAX_BYTES (\(maxBytes) bytes)")
        }
        var name = SpoolName(number: number, bytes: picture.count)
        // A state that has lost records may give a number twice; no picture goes for that.
        while fileStatus(path(of: name)) != nil { name = name.next }
        do throws(SystemError) {
            for folder in ["", "/tmp", "/" + name.folder] { try makeDirectory(path + folder, mode: 0o700) }
            try markDirty()
            try makeRoom(picture.count, maxBytes: maxBytes, minFree: minFree, commit: commit)
            let folder = path + "/" + name.folder
            // Emptied folders are removed, this one perhaps just now.
            try makeDirectory(folder, mode: 0o700)
            try writeDurably(
                [picture, line], to: path(of: name), temporary: path + "/tmp/" + name.text, mode: 0o600)
        } catch {
            // Where only the folder's fsync failed the picture is there, as surely as this disk can say.
            guard fileStatus(path(of: name)) != nil else {
                switch error.number {
                case ENOSPC, EDQUOT: throw full("the disk is full, or keeps less than SPOOL_MIN_FREE")
                case EACCES, EPERM, EROFS, ENOTDIR:
                    throw full("\(error)", hint: "it has to be a folder that this user may write")
                default: throw full("\(error)")
                }
            }
        }
        figures.count += 1
        figures.bytes += picture.count
        return name
    }

    private func full(
        _ why: String, hint: String = "free some space, or look at SPOOL_MAX_BYTES and SPOOL_MIN_FREE"
    ) -> Failure {
        Failure(.own(.spoolFull), "cannot keep picture in", path, why: why, hint: hint)
    }

    private mutating func makeRoom(
        _ bytes: Int, maxBytes: Int, minFree: Int, commit: (SpoolFigures) -> Void
    ) throws(SystemError) {
        func hasRoom(_ figures: SpoolFigures, freed: Int) -> Bool {
            let free = (freeBytes(path) ?? Int.max).adding(freed)
            return figures.bytes.adding(bytes) <= maxBytes && free >= minFree.adding(bytes)
        }
        while !hasRoom(figures, freed: 0) {
            var victims: [SpoolName] = []
            var after = figures
            for name in try oldest() where !hasRoom(after, freed: figures.bytes - after.bytes) {
                victims.append(name)
                after.count -= 1
                after.bytes -= name.bytes
            }
            guard !victims.isEmpty else { throw SystemError("write", number: ENOSPC) }
            after.dropped += victims.count
            after.lastDrop = Now.current().moment
            figures = after
            commit(after)
            let stuck = victims.filter { !discard($0) }
            guard stuck.isEmpty else {
                stayMarked()
                throw SystemError("unlink", number: EIO)
            }
        }
    }

    /// Removes an entry that the store has acknowledged.
    /// - Returns: false where the disk won't let it go; then it stays, and will be sent again under the same key.
    package mutating func remove(_ name: SpoolName) -> Bool {
        try? markDirty()
        guard discard(name) else { return false }
        forget(name)
        return true
    }

    /// Takes an entry whose bytes are no longer what was captured out of the way; it is never uploaded.
    package mutating func quarantine(_ name: SpoolName) {
        try? markDirty()
        let bad = path + "/bad"
        try? makeDirectory(bad, mode: 0o700)
        if (try? moveFile(path(of: name), to: bad + "/" + name.text)) == nil { removeFile(path(of: name)) }
        // A few are enough to look at.
        let kept = ((try? listDirectory(bad)) ?? []).sorted().suffix(8)
        for other in (try? listDirectory(bad)) ?? [] where !kept.contains(other) { removeFile(bad + "/" + other) }
        if left.last != name.folder { left.append(name.folder) }
        removeFolder("\(path)/\(name.folder)")
        figures.dropped += 1
        figures.lastDrop = Now.current().moment
        forget(name)
    }

    private mutating func forget(_ name: SpoolName) {
        figures.count = max(0, figures.count - 1)
        figures.bytes = max(0, figures.bytes - name.bytes)
    }

    private mutating func discard(_ name: SpoolName) -> Bool {
        if left.last != name.folder { left.append(name.folder) }
        let isGone = removeFile(path(of: name)) || errno == ENOENT
        removeFolder("\(path)/\(name.folder)")
        return isGone
    }

    /// Makes removals durable: what the next record says is gone must not come back after a power cut.
    package mutating func syncRemovals() {
        guard !left.isEmpty else { return }
        for folder in left { try? syncDirectory(path + "/" + folder) }
        try? syncDirectory(path)
        left = []
    }

    private mutating func markDirty() throws(SystemError) {
        guard !isMarked else { return }
        _ = try openFile(path + "/dirty", O_WRONLY | O_CREAT)
        isMarked = true
    }

    /// The next run has to count anew, whatever this one records.
    package mutating func stayMarked() {
        try? markDirty()
        staysMarked = true
    }

    /// The figures have been recorded.
    package mutating func settled() {
        if staysMarked { return }
        removeFile(path + "/dirty")
        isMarked = false
    }

    /// Looks up the oldest entry's capture time, if entries have come or gone since `previous`.
    package mutating func noteOldestIfNeeded(previous: SpoolFigures) {
        if figures.count != previous.count || figures.dropped != previous.dropped { noteOldest() }
    }

    /// Looks up the oldest entry's capture time.
    package mutating func noteOldest() {
        guard figures.count > 0, let name = try? oldest().first, let found = try? open(name) else {
            figures.oldest = nil
            return
        }
        let entry = found.entry
        figures.oldest = Moment(
            at: Timestamp(milliseconds: entry.capturedAt).iso8601,
            up: entry.boot == bootIdentity() ? entry.up : nil)
    }

    // MARK: Reading

    /// An entry and the open file with its picture; nil where the file is gone or was never whole.
    /// - Throws: where it can't be read now, which tells nothing about what is in it.
    package func open(_ name: SpoolName) throws(SystemError) -> (entry: SpoolEntry, file: FileHandle)? {
        do throws(SystemError) {
            let file = try openFile(path(of: name), O_RDONLY)
            guard lseek(file.descriptor, off_t(name.bytes), SEEK_SET) >= 0 else { throw SystemError("lseek") }
            let line = try file.readAll(limit: SpoolEntry.longestLine)
            guard let entry = SpoolEntry(line: line), entry.length == name.bytes else { return nil }
            return (entry, file)
        } catch {
            if error.number == ENOENT { return nil }
            throw error
        }
    }
}
