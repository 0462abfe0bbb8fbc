import Glibc
import SnapshotBase

extension SharedOutputSettings {
    /// Makes OUTPUT_DIR. Another relay, of another state, would sweep away what this one writes there.
    /// - Returns: the lock, which is held as long as this is.
    func lockDirectory() throws(Failure) -> FileHandle {
        let lock: FileHandle
        do throws(SystemError) {
            // Whoever else may see the video is the owner's to say, by this folder's mode.
            try makeDirectory(directory, mode: 0o750)
            try openFile(directory, O_RDONLY | O_DIRECTORY).serve(showsPictures)
            lock = try openFile(directory + "/.relay.lock", O_RDONLY | O_CREAT, mode: 0o600)
            fchmod(lock.descriptor, 0o600)
        } catch {
            throw cannotWrite(directory, error)
        }
        if retrying({ flock(lock.descriptor, LOCK_EX | LOCK_NB) }) != 0, errno == EWOULDBLOCK {
            throw Failure(
                .relay(.outputFolder), "cannot write to", directory,
                why: "another relay writes there",
                hint: "give each camera's relay an OUTPUT_DIR of its own")
        }
        return lock
    }
}
