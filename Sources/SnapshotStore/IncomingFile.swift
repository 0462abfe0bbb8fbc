import Glibc
import SnapshotBase

/// A temporary file on the object's file system, which is renamed once it is complete, so that the object never appears
/// incomplete. Each of several programs, machines or threads takes the first free name and locks its file. A file
/// without a lock is that of a killed writer, and the next writer removes it.
struct IncomingFile: ~Copyable {
    private let file: FileHandle
    private let path: String

    /// - Parameter writer: part of the name; the names of writers with different values never collide.
    init(in folder: String, writer: String, mode: mode_t) throws(SystemError) {
        for number in 0..<256 {
            let path = "\(folder)/.incoming-\(writer)" + (number == 0 ? "" : "-\(number)")
            if let file = try Self.take(path, mode) {
                self.file = file
                self.path = path
                return
            }
        }
        throw SystemError("open", number: EBUSY)
    }

    /// Fills the file by `write` and renames it by `move` to `target`, in the same file system, durably.
    consuming func put(
        to target: String, _ move: (_ from: String) throws(SystemError) -> Void,
        _ write: (FileHandle) throws(SystemError) -> Void
    ) throws(SystemError) {
        do throws(SystemError) {
            try write(file)
            try file.sync()
            try move(path)
        } catch {
            removeFile(path)
            throw error
        }
        try syncDirectory(parentDirectory(target))
    }

    /// Creates and locks the file of that name; nil where another writer holds it.
    private static func take(_ path: String, _ mode: mode_t) throws(SystemError) -> FileHandle? {
        // Another round follows where a killed writer's file was removed, or another writer acted between our steps.
        for _ in 0..<16 {
            do throws(SystemError) {
                let file = try openFile(path, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
                if tryLock(file), isAt(path, file) { return file }
                continue
            } catch  where error.number == EEXIST {}
            do throws(SystemError) {
                let found = try openFile(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK)
                guard tryLock(found) else { return nil }
                if isAt(path, found) { removeFile(path) }
            } catch  where error.number == ENOENT {
            } catch {
                // We can't open it, so no live writer of ours holds it (it may be another user's): try to remove it.
                guard removeFile(path) else { return nil }
            }
        }
        return nil
    }

    /// Locks the file. True also where the file system has no locks: then only the writer's name keeps writers apart.
    private static func tryLock(_ file: FileHandle) -> Bool {
        retrying { flock(file.descriptor, LOCK_EX | LOCK_NB) } == 0 || errno != EWOULDBLOCK
    }

    /// Whether the path still leads to the file, which another writer may have removed.
    static func isAt(_ path: String, _ file: FileHandle) -> Bool {
        guard let own = try? file.status(), let facts = fileStatus(path) else { return false }
        return facts.st_ino == own.st_ino && facts.st_dev == own.st_dev
    }
}
