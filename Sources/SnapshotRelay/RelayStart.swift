import CLinux
import Glibc
import SnapshotBase

/// - Returns: the lock of that state, which is held as long as this is; nil where another relay holds it.
func lockState(_ path: String) throws(Failure) -> FileHandle? {
    do throws(SystemError) {
        try makeDirectory(path, mode: 0o750)
        let lock = try openFile(path + "/relay.lock", O_RDONLY | O_CREAT, mode: 0o600)
        // Up to 0.2.2 a group could open it, and so hold it for ever.
        fchmod(lock.descriptor, 0o600)
        if retrying({ flock(lock.descriptor, LOCK_EX | LOCK_NB) }) == 0 { return lock }
        if errno == EWOULDBLOCK { return nil }
        throw SystemError("flock")
    } catch {
        throw Failure(.own(.state), "cannot open state directory", path, why: "\(error)")
    }
}

/// SIGTERM, SIGINT and SIGHUP as something to read, in this thread and those that it will start.
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
