import Glibc
import SnapshotBase
import Synchronization

/// OUTPUT_DIR and its lock. Without the lock a relay with another state directory could delete this relay's files.
package final class OutputDirectory: Sendable {
    package let path: String
    /// Whether the web front may read streams and recordings.
    private let isServed: Bool
    private let isReleased = Atomic(false)
    private let held = Mutex<(directory: Folder, lock: FileHandle)?>(nil)

    init(_ path: String, isServed: Bool) { (self.path, self.isServed) = (path, isServed) }

    /// Releases the lock, so that another relay can start even while a thread that hangs keeps this process alive. It
    /// waits half a second at most, since releasing may hang as well.
    func release() {
        let started = detach {
            self.held.withLockIfAvailable { _ = $0.map { flock($0.lock.descriptor, LOCK_UN) } }
            self.isReleased.store(true, ordering: .releasing)
        }
        let end = Deadline.after(.milliseconds(500))
        while started, !isReleased.load(ordering: .acquiring), !end.hasPassed { usleep(2000) }
    }

    /// Creates the directory where it is missing, and locks it. Called again, it locks a directory that has replaced
    /// the former one, e.g. by a mount. May hang.
    package func createAndLock() throws(Failure) {
        do throws(SystemError) {
            try held.withLock { held throws(SystemError) in
                // By default only the owner and the group may see the video; the owner may change this mode.
                let directory = try Folder(path, creating: 0o750)
                directory.handle.setFrontAccess(isServed)
                if let held, isSame(held.directory, directory) { return }
                let lock = try directory.open(".relay.lock", O_RDONLY | O_CREAT)
                fchmod(lock.descriptor, 0o600)
                if retrying({ flock(lock.descriptor, LOCK_EX | LOCK_NB) }) != 0, errno == EWOULDBLOCK {
                    throw SystemError("flock")
                }
                held = (directory, lock)
            }
        } catch {
            guard error.number == EWOULDBLOCK else { throw cannotWrite(path, error) }
            throw Failure(
                .relay(.outputFolder), "cannot write to", path,
                why: "another relay writes there",
                hint: "give each camera's relay an OUTPUT_DIR of its own", cause: error)
        }
    }
}
