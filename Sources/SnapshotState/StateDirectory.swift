import Glibc
import SnapshotBase

/// `STATE_PATH`, opened and locked by the one run that may write to it. The lock is released with this value.
package struct StateDirectory: ~Copyable {
    package let path: String
    /// The record of the last run; nil before the first.
    package private(set) var last: Record?
    /// What part of the state was lost, as a sentence; nil if none was.
    package private(set) var resetReason: String?
    /// Whether there was no state file at all.
    package let wasMissing: Bool
    private let lock: FileHandle
    private var ring: FileHandle?
    private var damaged: [Int] = []
    /// Whether records were lost, possibly the newest ones.
    package var hasLostRecords: Bool { resetReason != nil || !damaged.isEmpty }

    /// Creates the directory if necessary, and locks it.
    /// - Returns: nil if another run holds the lock.
    /// - Throws: `Failure` with the code `state` if the directory cannot be created, locked or read.
    package static func open(_ path: String) throws(Failure) -> StateDirectory? {
        let lock: FileHandle
        do throws(SystemError) {
            try makeDirectory(path, mode: 0o750)
            do throws(SystemError) {
                lock = try openFile(path + "/lock", O_RDONLY | O_CREAT, mode: 0o600)
            } catch  where error.number == EROFS {
                // An existing lock can still be taken: the picture is then stored, and only the record is lost.
                lock = try openFile(path + "/lock", O_RDONLY)
            }
            restrictLock(lock, path)
            guard retrying({ flock(lock.descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
                if errno == EWOULDBLOCK { return nil }
                throw SystemError("flock")
            }
        } catch {
            throw Self.failure("cannot open state directory", path, error)
        }
        return try StateDirectory(locked: lock, path: path)
    }

    /// Up to 0.2.2 the group that may read the state could open the lock file, and so hold the lock for ever. This
    /// takes that group's access to the lock file away, and shares the state with the web front's own group instead.
    private static func restrictLock(_ lock: FileHandle, _ path: String) {
        guard let facts = try? lock.status(), facts.st_mode & 0o077 != 0, fchmod(lock.descriptor, 0o600) == 0
        else { return }
        for name in [StateRing.fileName, RelayReport.fileName] {
            try? openFile(path + "/" + name, O_RDONLY).shareWithFront()
        }
    }

    private init(locked: FileHandle, path: String) throws(Failure) {
        lock = locked
        self.path = path
        let file = path + "/" + StateRing.fileName
        wasMissing = fileStatus(file) == nil
        let found = StateRing(reading: path)
        switch found.content {
        case .record(let record):
            last = record
            // The missing records may be the newest ones.
            if found.isShort { resetReason = "\(file) was cut short: the counters may be those of earlier runs" }
        case .neverRan: break
        case .unreadable(let why):
            guard access(file, R_OK) == 0 else {
                throw Self.failure("cannot read state", file, SystemError("open"))
            }
            // Keep the first damaged file; later ones go to -2 and -3, and -3 is overwritten.
            let names = ["", "-2", "-3"].map { file + ".bad" + $0 }
            let aside = names.first { fileStatus($0) == nil } ?? file + ".bad-3"
            do throws(SystemError) { try moveFile(file, to: aside) } catch {
                throw Self.failure("cannot move bad state aside", file, SystemError("rename"))
            }
            resetReason = "the state was damaged (\(why)); it is kept as \(aside), and the counters begin anew"
        }
        damaged = found.damaged
        // A failure to write is reported when the outcome is recorded, so that the picture is taken first.
        if !found.isWhole { try? writeAnew(file, history) }
        ring = try? openFile(file, O_WRONLY)
    }

    /// Writes a whole ring file with the given records.
    private func writeAnew(_ file: String, _ records: [Record]) throws(SystemError) {
        var slots = Array(repeating: Slot.blank, count: StateRing.slots)
        for record in records {
            if let slot = try? Slot.encode(record) { slots[StateRing.index(of: record.seq)] = slot }
        }
        try writeDurably(slots, to: file, temporary: file + ".new", mode: 0o640, isServed: true)
    }

    /// Appends `record`, usually with one `pwrite` of 4,096 bytes and one `fdatasync`. Damaged slots are made blank
    /// first, and a missing ring is written as a whole.
    package mutating func write(_ record: Record) throws(Failure) {
        let file = path + "/" + StateRing.fileName
        var record = record
        let isLast = last?.seq == Slot.highestSequence
        record.seq = isLast ? 1 : (last?.seq ?? 0) + 1
        let slot = try Slot.encode(record)
        do throws(SystemError) {
            if ring == nil || isLast {
                try writeAnew(file, isLast ? [record] : history)
                ring = try openFile(file, O_WRONLY)
            }
            let index = StateRing.index(of: record.seq)
            for torn in damaged where torn != index { try put(Slot.blank, at: torn) }
            damaged = []
            try put(slot, at: index)
        } catch {
            throw Self.failure("cannot write state", file, error)
        }
        last = record
    }

    private var history: [Record] { StateRing(reading: path, all: true).history }

    private func put(_ slot: [UInt8], at index: Int) throws(SystemError) {
        guard let descriptor = ring?.descriptor else { throw SystemError("open", number: ENOENT) }
        let written = retrying { pwrite(descriptor, slot, slot.count, off_t(index * Slot.size)) }
        guard written == slot.count else { throw SystemError("pwrite", number: written < 0 ? errno : ENOSPC) }
        guard retrying({ fdatasync(descriptor) }) == 0 else { throw SystemError("fdatasync") }
    }

    private static func failure(_ what: String, _ path: String, _ error: SystemError) -> Failure {
        let hint: String? =
            switch error.number {
            case EACCES, EPERM: "run as the user who owns it, or choose another folder with STATE_PATH"
            case ENOSPC: "the disk is full; free some space"
            case EROFS: "the file system is read-only; look at dmesg, or choose another folder with STATE_PATH"
            case ENOTDIR: "a file stands where the directory should be; choose another folder with STATE_PATH"
            default: nil
            }
        return Failure(.own(.state), what, path, why: "\(error)", hint: hint, cause: error)
    }
}
