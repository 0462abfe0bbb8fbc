import Glibc
import SnapshotBase
import SnapshotState

/// A marker file in RAM that exists while a run is in progress. A run that SIGKILL ends leaves it there, so the next
/// run notices the kill; one that SIGTERM, SIGINT or SIGHUP ends removes it. It costs no write to the card, and a
/// reboot clears it.
struct RunMarker {
    /// When the last run began, if it was killed and so left its marker; nil where no marker was left.
    private(set) var killedRunBegan: Timestamp?
    private let path: String?

    /// Creates the marker. Call it with the state's lock held, so that only one run of a state does so at a time.
    /// - Parameter directory: systemd's RUNTIME_DIRECTORY; nil where there is none, as under cron. The marker is then
    ///   in `/run/lock` or `/dev/shm`, or there is none.
    init(in directory: String?, statePath: String) {
        // Units of several cameras may share a runtime directory but not a state, so the name contains a CRC of the
        // state's path.
        let state = crc32(Array(canonical(statePath).utf8)[...]).hexadecimal
        let file = directory.map { "\($0)/.under-way-\(state)" } ?? Self.shared(state, of: statePath)
        guard let file else {
            path = nil
            return
        }
        if !Self.make(file) {
            var status = stat()
            // Only a regular file of this user is a marker; leave anything else alone.
            guard errno == EEXIST, lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                status.st_uid == geteuid()
            else {
                path = nil
                return
            }
            killedRunBegan = Timestamp(status.st_mtim)
            unlink(file)
            _ = Self.make(file)
        }
        path = file
        removeAtEnd(file)
    }

    /// `/run/lock` comes first, since systemd removes a user's files from `/dev/shm` when the last session of that user
    /// ends.
    private static let sharedFolders = ["/run/lock", "/dev/shm"]

    private static func shared(_ state: String, of statePath: String) -> String? {
        var status = stat()
        // The name contains the state directory's inode, so a new directory at the same path finds no old marker.
        guard stat(statePath, &status) == 0, let folder = sharedFolders.first(where: isSafeRAM) else { return nil }
        return "\(folder)/snapshot-\(geteuid())-\(state)-\(String(status.st_ino, radix: 16))"
    }

    /// Whether a folder is in RAM, belongs to root, and keeps other users from removing or replacing our files (not
    /// writable by others, or sticky).
    private static func isSafeRAM(_ path: String) -> Bool {
        var status = stat()
        guard isInRAM(path), lstat(path, &status) == 0 else { return false }
        let isProtected = status.st_mode & 0o022 == 0 || status.st_mode & S_ISVTX != 0
        return status.st_mode & S_IFMT == S_IFDIR && status.st_uid == 0 && isProtected && access(path, W_OK | X_OK) == 0
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

/// The absolute path without symbolic links, `.` and `..`, so that each spelling of it gives the same marker.
private func canonical(_ path: String) -> String {
    guard let found = realpath(path, nil) else { return path }
    defer { free(found) }
    return String(cString: found)
}

/// The file that the signal handler `removeMarker` removes. A handler may read this at any time, so an old string is
/// freed only after the new one is in place.
nonisolated(unsafe) private var markerFile: UnsafeMutablePointer<CChar>?

/// Removes the file when a signal (SIGTERM, SIGINT, SIGHUP) ends the program. Ignored signals stay ignored.
private func removeAtEnd(_ path: String) {
    let old = markerFile
    markerFile = strdup(path)
    free(old)
    let removeMarker: @convention(c) (Int32) -> Void = { number in
        if let markerFile { unlink(markerFile) }
        // The signal is blocked while its handler runs, so its default action follows when this returns.
        signal(number, SIG_DFL)
        raise(number)
    }
    for number in BlockedSignals.terminationSignals
    where unsafeBitCast(signal(number, removeMarker), to: Int.self) == ignored {
        signal(number, SIG_IGN)
    }
}

private let ignored = unsafeBitCast(SIG_IGN, to: Int.self)

extension Run {
    /// Counts the killed run before this one as a failed capture, and records that at once: this run may be killed,
    /// too.
    mutating func count(killed begun: Timestamp) {
        let failure = Failure(
            .own(.killed), "the run before was killed",
            why: "it began at \(begun.iso8601) and left no record of its end",
            hint: "journalctl -k   # shows whether the kernel killed it because memory ran out")
        // If the killed run spooled its picture, recounting the spool has already counted the capture.
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
        // Reported to a journal once an hour at most, to a person each time.
        let isNews = record.noteReport(of: failure.code, now: now)
        if isNews || !log.isJournal { log.report(failure) }
        do throws(Failure) { try state.write(record) } catch { log.verbose("\(error)") }
    }
}
