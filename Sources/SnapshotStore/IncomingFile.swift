import Glibc
import SnapshotBase

/// A temporary file in the folder that an object goes into; it appears there whole or not at all.
///
/// Several programs, machines or threads may write into one folder: each takes the first name that nobody holds, and
/// holds it by a lock on the file. What a killed one left is held by nobody, and makes room for the next.
struct IncomingFile: ~Copyable {
    private let file: FileHandle
    private let path: String

    /// - Parameter writer: keeps apart those who needn't meet at all.
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

    /// Lets `write` fill it, and puts it under `target`, in the same file system, so that it outlasts a power cut.
    consuming func put(to target: String, _ write: (FileHandle) throws(SystemError) -> Void) throws(SystemError) {
        do throws(SystemError) {
            try write(file)
            try file.sync()
            try moveFile(path, to: target)
        } catch {
            removeFile(path)
            throw error
        }
        try syncDirectory(parentDirectory(target))
    }

    /// A new file of that name, held; nil where another holds the name.
    private static func take(_ path: String, _ mode: mode_t) throws(SystemError) -> FileHandle? {
        // Each further round follows another's step between two of ours.
        for _ in 0..<16 {
            do throws(SystemError) {
                let file = try openFile(path, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
                if isHeld(file), isAt(path, file) { return file }
                continue
            } catch  where error.number == EEXIST {}
            do throws(SystemError) {
                let found = try openFile(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK)
                guard isHeld(found) else { return nil }
                if isAt(path, found) { removeFile(path) }
            } catch  where error.number == ENOENT {
            } catch {
                // Not to be opened, and so nobody's who writes: it may be another user's.
                guard removeFile(path) else { return nil }
            }
        }
        return nil
    }

    /// Where a file system knows no locks, only the writer's name keeps them apart.
    private static func isHeld(_ file: FileHandle) -> Bool {
        retrying { flock(file.descriptor, LOCK_EX | LOCK_NB) } == 0 || errno != EWOULDBLOCK
    }

    private static func isAt(_ path: String, _ file: FileHandle) -> Bool {
        guard let own = try? file.status(), let facts = fileStatus(path) else { return false }
        return facts.st_ino == own.st_ino && facts.st_dev == own.st_dev
    }
}
