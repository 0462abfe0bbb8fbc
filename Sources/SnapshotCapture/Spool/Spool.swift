import Glibc
import SnapshotBase
import SnapshotSettings
import SnapshotState

/// The pictures that a store has not acknowledged yet, during one run. The figures come from the last run's record, and
/// `commit` writes them into this run's. RELIABILITY.md says what is on disk after each step, and what a kill there
/// leaves.
///
/// Without `commit` the next run finds what a killed run would have left: the marker is still there, and the entries
/// are recounted.
package struct Spool: ~Copyable {
    /// As the next record will hold them.
    package private(set) var figures: SpoolFigures
    package let path: String
    private var files: SpoolFolder
    private let initialFigures: SpoolFigures
    /// Whether the marker file `dirty` exists; nil where that is unknown.
    private var isMarked: Bool?
    /// Whether the marker stays after the commit, so that the next run recounts the entries.
    private var recountsNext: Bool
    /// Folders that entries were removed from.
    private var changed: [String] = []
    private let clock: SystemClock

    /// The limits of a spool, in bytes (SPOOL_MAX_BYTES, SPOOL_MIN_FREE), and what is dropped at a limit (SPOOL_KEEP).
    package struct Bounds: Sendable {
        package var maxBytes: Int
        /// To stay free on the file system.
        package var minFree: Int
        package var keep: SpoolKeep

        package init(maxBytes: Int, minFree: Int, keep: SpoolKeep = .newest) {
            self.maxBytes = maxBytes
            self.minFree = minFree
            self.keep = keep
        }
    }

    /// - Parameters:
    ///   - record: of the last run; its counters are corrected where the entries are recounted.
    ///   - recounts: recounts the entries even if the last run ended normally.
    ///   - failed: called with the reason if the entries can't be counted now. They stay, and the next run recounts
    ///     them.
    package init(
        statePath: String, record: inout Record, recounts: Bool, clock: SystemClock,
        failed: (SystemError) -> Void = { _ in }
    ) {
        // Each property is assigned once, at the end, because of the compiler's bug in `Run.init`.
        var files = SpoolFolder(statePath: statePath)
        var isMarked = files.hasMarker()
        var recountsNext = false
        files.sweep()
        if recounts || isMarked != false {
            do throws(SystemError) {
                record.reconcile(with: try files.list())
                record.spool.oldest = record.spool.count > 0 ? files.oldestMoment(boot: clock.boot) : nil
            } catch {
                recountsNext = true
                if isMarked != true, (try? files.makeMarker()) != nil { isMarked = true }
                failed(error)
            }
        }
        path = files.path
        self.clock = clock
        self.files = files
        self.isMarked = isMarked
        self.recountsNext = recountsNext
        figures = record.spool
        initialFigures = record.spool
    }

    // MARK: Reading

    package mutating func list() throws(SystemError) -> [SpoolName] { try files.list() }

    package mutating func oldest(after number: Int) throws(SystemError) -> [SpoolName] {
        try files.oldest(after: number)
    }

    /// An entry and the open file with its picture; nil where it is gone or damaged.
    mutating func open(_ name: SpoolName) throws(SystemError) -> (entry: SpoolEntry, file: FileHandle)? {
        try files.openIntact(name)
    }

    // MARK: Changes

    /// Adds a picture durably. If there is no room, the record of the drops is written first, and then entries are
    /// deleted.
    /// - Parameters:
    ///   - number: of the capture; the next free one if an entry of the same number and length exists.
    ///   - before: the record as it is without this picture.
    /// - Returns: the entry's name.
    /// - Throws: where there is no room or writing fails; the picture is then not in the spool.
    package mutating func add(
        _ entry: SpoolEntry, _ picture: [UInt8], number: Int, within bounds: Bounds, before: Record,
        to state: inout StateDirectory
    ) throws(Failure) -> SpoolName {
        guard let line = entry.line else { throw full("its key is too long", hint: "shorten KEY_TEMPLATE") }
        guard picture.count <= bounds.maxBytes else {
            throw full("the picture is larger than SPOOL_MAX_BYTES (\(bounds.maxBytes) bytes)")
        }
        var name = SpoolName(number: number, bytes: picture.count)
        // Where the entries couldn't be listed, one of them may have this name: never overwrite it. The next run recounts
        // them and finds the new number above `lastNumber`: the capture that it adds is the uncounted entry's.
        while files.contains(name) { name = name.next }
        do throws(SystemError) {
            try createMarker()
            try makeRoom(for: name, bounds, before, &state)
            try files.write([picture, line], as: name)
        } catch {
            // If only the directory's fsync failed, the file exists: count it as spooled.
            guard files.contains(name) else { throw full(error) }
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
            return figures.bytes.adding(new.bytes) <= bounds.maxBytes && free >= bounds.minFree.adding(new.bytes)
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
            // Record the drops before deleting the files: a kill in between must not count them as uploaded.
            var withDrops = before
            withDrops.spool = after
            try? state.write(withDrops)
            let stuck = victims.filter { !discard($0) }
            guard stuck.isEmpty else {
                recountsNext = true
                throw SystemError("unlink", number: EIO)
            }
        }
    }

    /// Removes an entry that the store has acknowledged.
    /// - Returns: false where it can't be removed; it stays, and a later drain uploads it again under the same key.
    package mutating func remove(_ name: SpoolName) -> Bool {
        try? createMarker()
        guard discard(name) else { return false }
        figures.forget(name)
        return true
    }

    /// Moves a damaged entry to `spool/bad`, or removes it if it can't be moved, and counts it as dropped, with a
    /// warning; it is never uploaded.
    package mutating func quarantine(_ name: SpoolName, _ log: Log) {
        log.warn(
            "spooled picture \(name.number) is missing or damaged, and counts as dropped; what can be kept of it is in "
                + "\(path)/bad")
        try? createMarker()
        files.quarantine(name)
        noteRemoval(of: name)
        figures.forget(name)
        figures.drop(1, clock)
    }

    /// Removes an entry that isn't to be uploaded any more, since a newer picture is stored under its key.
    /// - Returns: false where it can't be removed.
    @discardableResult
    package mutating func supersede(_ name: SpoolName) -> Bool {
        guard remove(name) else { return false }
        figures.superseded = (figures.superseded ?? 0) + 1
        return true
    }

    /// Counts a picture that the spool couldn't take as dropped.
    package mutating func countLost() { figures.drop(1, clock) }

    /// Makes the drains of captures skip entries that the store rejects, for an hour.
    package mutating func skipRejected(_ entries: RejectedEntries) { figures.rejected = entries }

    /// - Returns: whether the file is gone.
    private mutating func discard(_ name: SpoolName) -> Bool {
        let isGone = files.remove(name)
        noteRemoval(of: name)
        return isGone
    }

    private mutating func noteRemoval(of name: SpoolName) {
        if changed.last != name.folder { changed.append(name.folder) }
        files.removeIfEmpty(name.folder)
    }

    /// Creates the marker before the first change.
    private mutating func createMarker() throws(SystemError) {
        guard isMarked != true else { return }
        try files.makeMarker()
        isMarked = true
    }

    // MARK: Commit

    /// Makes the changes durable, then writes the record that holds their counts, and only then removes the marker.
    /// - Throws: where the record can't be written; the marker stays.
    package consuming func commit(_ record: inout Record, to state: inout StateDirectory) throws(Failure) {
        if figures.count != initialFigures.count || figures.dropped != initialFigures.dropped {
            figures.oldest = figures.count > 0 ? files.oldestMoment(boot: clock.boot) : nil
        }
        // An entry that the record counts as gone must not reappear after a power cut.
        if !changed.isEmpty { files.sync(changed) }
        record.spool = figures
        try state.write(record)
        if isMarked != false, !recountsNext { files.removeMarker() }
    }

    // MARK: Failures

    private func full(_ error: SystemError) -> Failure {
        switch error.number {
        case ENOSPC, EDQUOT: full("the disk is full, or less than SPOOL_MIN_FREE would stay free")
        case EACCES, EPERM, EROFS, ENOTDIR: full("\(error)", hint: "it must be a folder that this user can write to")
        default: full("\(error)")
        }
    }

    private func full(
        _ why: String, hint: String = "free some space, or change SPOOL_MAX_BYTES or SPOOL_MIN_FREE"
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
