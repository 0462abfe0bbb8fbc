import CLinux
import Glibc
import SnapshotBase

/// Locks a state directory for one relay.
/// - Returns: the lock, which is held until this is closed; nil where another relay holds it.
func lockState(_ path: String) throws(Failure) -> FileHandle? {
    do throws(SystemError) {
        try makeDirectory(path, mode: 0o750)
        let lock = try openFile(path + "/relay.lock", O_RDONLY | O_CREAT, mode: 0o600)
        // Up to version 0.2.2 the file's group could open it, and hold the lock for ever.
        fchmod(lock.descriptor, 0o600)
        if retrying({ flock(lock.descriptor, LOCK_EX | LOCK_NB) }) == 0 { return lock }
        if errno == EWOULDBLOCK { return nil }
        throw SystemError("flock")
    } catch {
        throw Failure(.own(.state), "cannot open state directory", path, why: "\(error)")
    }
}

/// Blocks SIGTERM, SIGINT and SIGHUP in this thread and all that it starts.
/// - Returns: a signalfd from which they are read.
func catchSignals() throws(Failure) -> FileHandle {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, number) }
    sigprocmask(SIG_BLOCK, &signals, nil)
    let descriptor = shim_signalfd(&signals)
    guard descriptor >= 0 else {
        throw Failure(.own(.signals), "cannot watch signals", why: "\(SystemError("signalfd"))")
    }
    return FileHandle(owning: descriptor)
}
