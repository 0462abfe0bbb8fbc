import Glibc
import SnapshotBase
import SnapshotState

/// A file that stands in RAM while a run is under way: one that was killed leaves it to the next, one that was asked to end
/// doesn't. It costs the card nothing, and after a reboot there is none.
struct RunMark {
    /// When the run began that left a mark; nil where the last one came to its end.
    private(set) var killed: Timestamp?
    private let path: String?

    /// Makes the mark. Call it under the state's lock, which keeps two runs of one state apart.
    /// - Parameter directory: the runtime directory; nil where there is none, as under cron. The mark then stands where
    ///   everybody keeps such things, or nowhere.
    init(in directory: String?, statePath: String) {
        // Some programs share a runtime directory and not a state.
        let state = crc32(Array(canonical(statePath).utf8)[...]).hexadecimal
        let place = directory.map { "\($0)/.under-way-\(state)" } ?? Self.shared(state, of: statePath)
        guard let place else {
            path = nil
            return
        }
        if !Self.make(place) {
            var facts = stat()
            // Only a file is a mark, and one of a stranger's isn't ours: it stays.
            guard errno == EEXIST, lstat(place, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG,
                facts.st_uid == geteuid()
            else {
                path = nil
                return
            }
            killed = Timestamp(facts.st_mtim)
            unlink(place)
            _ = Self.make(place)
        }
        path = place
        removeAtEnd(place)
    }

    /// systemd removes a user's files from /dev/shm when its last session ends, so /run/lock comes first.
    private static let sharedFolders = ["/run/lock", "/dev/shm"]

    private static func shared(_ state: String, of statePath: String) -> String? {
        var facts = stat()
        // A state that was made anew has no killed run.
        guard stat(statePath, &facts) == 0, let folder = sharedFolders.first(where: isSafeRAM) else { return nil }
        return "\(folder)/snapshot-\(geteuid())-\(state)-\(String(facts.st_ino, radix: 16))"
    }

    /// Whether a folder is in RAM, and nobody but root and oneself can remove or replace one's files there.
    private static func isSafeRAM(_ path: String) -> Bool {
        var facts = stat()
        guard isInRAM(path), lstat(path, &facts) == 0 else { return false }
        let isProtected = facts.st_mode & 0o022 == 0 || facts.st_mode & S_ISVTX != 0
        return facts.st_mode & S_IFMT == S_IFDIR && facts.st_uid == 0 && isProtected && access(path, W_OK | X_OK) == 0
    }

    func remove() {
        if let path { unlink(path) }
    }

    private static func make(_ path: String) -> Bool {
        let descriptor = retrying { open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600) }
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }
}

/// The path without links and detours, however it was spelled.
private func canonical(_ path: String) -> String {
    guard let found = realpath(path, nil) else { return path }
    defer { free(found) }
    return String(cString: found)
}

/// The file that `part` removes. Its name is there for as long as the program.
nonisolated(unsafe) private var partingFile: UnsafeMutablePointer<CChar>?

/// Has a file go with the program when a signal asks it to end, but not when it is killed. Ignored signals stay so.
private func removeAtEnd(_ path: String) {
    partingFile.map { free($0) }
    partingFile = strdup(path)
    let part: @convention(c) (Int32) -> Void = { number in
        if let partingFile { unlink(partingFile) }
        // It is blocked until this returns, and then nothing handles it any more.
        signal(number, SIG_DFL)
        raise(number)
    }
    for number in HeldSignals.asking where unsafeBitCast(signal(number, part), to: Int.self) == ignored {
        signal(number, SIG_IGN)
    }
}

private let ignored = unsafeBitCast(SIG_IGN, to: Int.self)

extension Run {
    /// Counts the run before this one, which was killed, as a capture that failed, and records that at once: this run may
    /// end in the same way.
    mutating func count(killed begun: Timestamp) {
        let failure = Failure(
            .own(.killed), "run was killed", "that began at \(begun.iso8601)",
            why: "it left no record of its end",
            hint: "journalctl -k tells whether memory ran out; MemoryMax= bounds it")
        // A picture that it had spooled is counted already, as captured.
        let isCounted = record.totalCaptures > state.last?.totalCaptures ?? 0
        if !isCounted {
            record.captureFailures += 1
            record.countHour(now: now, captured: false, uploadMilliseconds: nil)
        }
        record.countFailure(failure, now: now)
        if var error = record.lastError {
            error.moment = Moment(at: begun.iso8601, up: nil)
            record.lastError = error
        }
        record.outcome = Outcome(result: .captureFailed)
        record.outcome.code = failure.code
        record.written = now.moment
        // A journal hears of it once an hour, a person each time.
        let isNews = record.isNews(failure.code, now: now)
        if isNews || !log.isJournal { log.report(failure) }
        do throws(Failure) { try state.write(record) } catch { log.verbose("\(error)") }
    }
}
