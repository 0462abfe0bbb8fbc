import Glibc
import SnapshotBase
import Synchronization

/// OUTPUT_DIR. Another relay, of another state, would sweep away what this one writes there: it is locked as long as this is.
package final class OutputDirectory: Sendable {
    package let path: String
    /// Whether the web front may read streams and recordings.
    private let isServed: Bool
    private let held = Mutex<(directory: Folder, lock: FileHandle)?>(nil)

    init(_ path: String, isServed: Bool) { (self.path, self.isServed) = (path, isServed) }

    /// Lets another relay have it, also while a thread of this one hangs there and keeps the process from ending.
    func release() { _ = held.withLockIfAvailable { $0 = nil } }

    /// Makes it where it is missing, and locks it. One on another disk than before is locked as well. May hang.
    package func hold() throws(Failure) {
        do throws(SystemError) {
            try held.withLock { held throws(SystemError) in
                // Whoever else may see the video is the owner's to say, by this folder's mode.
                let directory = try Folder(path, creating: 0o750)
                directory.handle.serve(isServed)
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
