import Glibc
import SnapshotBase
import SnapshotSettings
import SnapshotState

/// Pictures that a store has not acknowledged yet, as one run changes them: begun with the record of the run before,
/// committed by its own. RELIABILITY.md says what is on disk after each step, and what a kill there leaves.
///
/// Without `commit` it is as if the run had been killed: the mark stays, and the next run counts anew.
package struct Spool: ~Copyable {
    /// As the next record will have it.
    package private(set) var figures: SpoolFigures
    package let path: String
    private var files: SpoolFolder
    private let begun: SpoolFigures
    /// Whether `dirty` stands there; nil where that isn't known.
    private var isMarked: Bool?
    /// The next run has to count anew, whatever this one records.
    private var isUncertain: Bool
    /// Folders that entries have left.
    private var left: [String] = []
    private let clock: SystemClock

    /// What bounds a spool, in bytes.
    package struct Bounds: Sendable {
        package var most: Int
        /// Stays free on the disk.
        package var free: Int
        package var keep: SpoolKeep

        package init(most: Int, free: Int, keep: SpoolKeep = .newest) {
            self.most = most
            self.free = free
            self.keep = keep
        }
    }

    /// - Parameters:
    ///   - record: of the run before; it is mended where the spool tells more.
    ///   - isDoubtful: counts the entries, whether or not the run before came to its end.
    ///   - failed: called with why they can't be counted now. They stay, and the next run counts them.
    package init(
        statePath: String, record: inout Record, isDoubtful: Bool, clock: SystemClock,
        failed: (SystemError) -> Void = { _ in }
    ) {
        // Each property is assigned once, at the end: see `Run`.
        var files = SpoolFolder(statePath: statePath)
        var isMarked = files.hasMark()
        var isUncertain = false
        files.sweep()
        if isDoubtful || isMarked != false {
            do throws(SystemError) {
                record.reconcile(with: try files.list())
                record.spool.oldest = record.spool.count > 0 ? files.oldestMoment(boot: clock.boot) : nil
            } catch {
                isUncertain = true
                if isMarked != true, (try? files.makeMark()) != nil { isMarked = true }
                failed(error)
            }
        }
        path = files.path
        self.clock = clock
        self.files = files
        self.isMarked = isMarked
        self.isUncertain = isUncertain
        figures = record.spool
        begun = record.spool
    }

    // MARK: What is there

    package mutating func list() throws(SystemError) -> [SpoolName] { try files.list() }

    package mutating func oldest(after number: Int) throws(SystemError) -> [SpoolName] {
        try files.oldest(after: number)
    }

    /// An entry and the open file with its picture; nil where it is no longer what was captured.
    mutating func open(_ name: SpoolName) throws(SystemError) -> (entry: SpoolEntry, file: FileHandle)? {
        try files.openIntact(name)
    }

    // MARK: Changes

    /// Adds a picture. Room is made for it first: the oldest go, once a record has told that they are given up.
    /// - Parameters:
    ///   - number: of the picture. Where an entry has it that the record doesn't know, the next free one is taken.
    ///   - before: the record as it is without this picture.
    /// - Throws: where there is no room or it can't be written; then it isn't there.
    package mutating func add(
        _ entry: SpoolEntry, _ picture: [UInt8], number: Int, within bounds: Bounds, before: Record,
        to state: inout StateDirectory
    ) throws(Failure) -> SpoolName {
        guard let line = entry.line else { throw full("its key is too long") }
        guard picture.count <= bounds.most else {
            throw full("the picture is larger than SPOOL_MAX_BYTES (\(bounds.most) bytes)")
        }
        var name = SpoolName(number: number, bytes: picture.count)
        // A state that has lost records may give a number twice; no picture goes for that. The record's last number stays
        // as it is, so that as many entries are above it as the record doesn't know.
        while files.holds(name) { name = name.next }
        do throws(SystemError) {
            try mark()
            try makeRoom(for: name, bounds, before, &state)
            try files.write([picture, line], as: name)
        } catch {
            // Where only the folder's fsync failed the picture is there, as surely as this disk can say.
            guard files.holds(name) else { throw full(error) }
        }
        figures.count += 1
        figures.bytes += picture.count
        return name
    }

    private mutating func makeRoom(
        for new: SpoolName, _ bounds: Bounds, _ before: Record, _ state: inout StateDirectory
    ) throws(SystemError) {
        let path = path
        func hasRoom(_ figures: SpoolFigures, freed: Int) -> Bool {
            let free = (freeBytes(path) ?? Int.max).adding(freed)
            return figures.bytes.adding(new.bytes) <= bounds.most && free >= bounds.free.adding(new.bytes)
        }
        while !hasRoom(figures, freed: 0) {
            var victims: [SpoolName] = []
            var after = figures
            var waiting = bounds.keep == .thin ? try files.list() : try files.oldest()
            while !waiting.isEmpty, !hasRoom(after, freed: figures.bytes - after.bytes) {
                let name = waiting.remove(at: bounds.keep.victim(among: waiting, newest: new.number))
                victims.append(name)
                after.forget(name)
            }
            guard !victims.isEmpty else { throw SystemError("write", number: ENOSPC) }
            after.drop(victims.count, clock)
            figures = after
            var told = before
            told.spool = after
            try? state.write(told)
            let stuck = victims.filter { !discard($0) }
            guard stuck.isEmpty else {
                isUncertain = true
                throw SystemError("unlink", number: EIO)
            }
        }
    }

    /// Removes an entry that the store has acknowledged.
    /// - Returns: false where the disk won't let it go; then it stays, and will be sent again under the same key.
    package mutating func remove(_ name: SpoolName) -> Bool {
        try? mark()
        guard discard(name) else { return false }
        figures.forget(name)
        return true
    }

    /// Takes an entry whose bytes are no longer what was captured out of the way; it is never uploaded.
    package mutating func quarantine(_ name: SpoolName) {
        try? mark()
        files.putAside(name)
        noteLeft(name)
        figures.forget(name)
        figures.drop(1, clock)
    }

    /// Removes an entry that is not to be sent any more, since a newer one has its key.
    /// - Returns: false where the disk won't let it go.
    @discardableResult
    package mutating func supersede(_ name: SpoolName) -> Bool {
        guard remove(name) else { return false }
        figures.superseded = (figures.superseded ?? 0) + 1
        return true
    }

    /// Counts a picture that the spool couldn't take.
    package mutating func lose() { figures.drop(1, clock) }

    /// Has the entries up to `last`, which the store refuses, hold up no others for a while.
    package mutating func rest(_ refused: RefusedEntries) { figures.refused = refused }

    private mutating func discard(_ name: SpoolName) -> Bool {
        let isGone = files.remove(name)
        noteLeft(name)
        return isGone
    }

    private mutating func noteLeft(_ name: SpoolName) {
        if left.last != name.folder { left.append(name.folder) }
        files.leave(name.folder)
    }

    private mutating func mark() throws(SystemError) {
        guard isMarked != true else { return }
        try files.makeMark()
        isMarked = true
    }

    // MARK: The end

    /// Makes the changes durable, then the record that tells them; only then the mark goes.
    /// - Throws: where the record can't be written. The mark stays.
    package consuming func commit(_ record: inout Record, to state: inout StateDirectory) throws(Failure) {
        if figures.count != begun.count || figures.dropped != begun.dropped {
            figures.oldest = figures.count > 0 ? files.oldestMoment(boot: clock.boot) : nil
        }
        // What the record says is gone must not come back after a power cut.
        if !left.isEmpty { files.sync(left) }
        record.spool = figures
        try state.write(record)
        if isMarked != false, !isUncertain { files.removeMark() }
    }

    // MARK: Failures

    private func full(_ error: SystemError) -> Failure {
        switch error.number {
        case ENOSPC, EDQUOT: full("the disk is full, or keeps less than SPOOL_MIN_FREE")
        case EACCES, EPERM, EROFS, ENOTDIR: full("\(error)", hint: "it has to be a folder that this user may write")
        default: full("\(error)")
        }
    }

    private func full(
        _ why: String, hint: String = "free some space, or look at SPOOL_MAX_BYTES and SPOOL_MIN_FREE"
    ) -> Failure {
        Failure(.own(.spoolFull), "cannot keep picture in", path, why: why, hint: hint)
    }
}

extension SpoolFigures {
    fileprivate mutating func forget(_ name: SpoolName) {
        count = max(0, count - 1)
        bytes = max(0, bytes - name.bytes)
    }

    fileprivate mutating func drop(_ number: Int, _ clock: SystemClock) {
        dropped += number
        lastDrop = clock.now().moment
    }
}
