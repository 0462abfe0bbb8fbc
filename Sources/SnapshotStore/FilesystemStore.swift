import Glibc
import SnapshotBase
import SnapshotHTTP

/// A folder. An object appears whole, under its name, or not at all: temporary file, fsync, rename, fsync.
///
/// Of one ledger, one `put` at a time.
package struct FilesystemStore: Store {
    let settings: FilesystemSettings
    /// Keeps what this program wrote, for retention.
    let ledger: StoredLedger?
    /// Goes into the names of temporary files.
    let writer: String

    package var place: String { settings.path }

    package func put(_ object: StoredObject, deadline: Deadline, reusesConnection: Bool) throws(StoreFailure) {
        let path = settings.path + "/" + object.key
        do throws(SystemError) {
            do throws(SystemError) { try write(object, to: path) } catch {
                // What fills the disk may be our own.
                guard [ENOSPC, EDQUOT].contains(error.number), ledger?.retain(in: settings, keeping: object.key) == true
                else { throw error }
                try write(object, to: path)
            }
        } catch {
            throw Self.failure(error, path: path)
        }
        ledger?.retain(in: settings, keeping: object.key)
    }

    private func write(_ object: StoredObject, to path: String) throws(SystemError) {
        let folder = parentDirectory(path)
        // Whoever else may see the pictures is the owner's to say, by this folder's mode.
        try makeDirectory(settings.path, mode: 0o750)
        try makeDirectory(folder, mode: 0o755)
        // Without its line retention won't know the picture; that is no reason not to keep it.
        let line = try? ledger?.add(key: object.key, bytes: object.content.length)
        do throws(SystemError) {
            do throws(SystemError) { try write(object.content, to: path, by: settings.path) } catch {
                // The folder that the key leads into is on another disk.
                guard error.number == EXDEV else { throw error }
                try write(object.content, to: path, by: folder)
            }
        } catch {
            if let line { ledger?.takeBack(line) }
            throw error
        }
    }

    private func write(_ content: HTTPBody, to path: String, by folder: String) throws(SystemError) {
        let incoming = try IncomingFile(in: folder, writer: writer, mode: 0o644)
        try incoming.put(to: path) { file throws(SystemError) in try Self.copy(content, to: file) }
    }

    private static func copy(_ content: HTTPBody, to target: FileHandle) throws(SystemError) {
        switch content {
        case .bytes(let bytes): try target.write(bytes)
        case .file(let file, let offset, let length):
            // Piece by piece: a recorded segment is larger than what this program otherwise needs.
            guard lseek(file.descriptor, off_t(offset), SEEK_SET) >= 0 else { throw SystemError("lseek") }
            var left = length
            while left > 0 {
                let piece = try file.readAll(limit: min(left, 1 << 18))
                guard !piece.isEmpty else { throw SystemError("read", number: EIO) }
                try target.write(piece)
                left -= piece.count
            }
        default: throw SystemError("write", number: EINVAL)
        }
    }

    package static func failure(_ error: SystemError, path: String) -> StoreFailure {
        let (code, scope, hint): (Failure.Code.Store, StoreFailure.Scope, String?) =
            switch error.number {
            case ENOSPC, EDQUOT: (.full, .store, "free some space, or set LOCAL_STORAGE_MAX_BYTES")
            case EROFS: (.denied, .store, "under systemd the service needs ReadWritePaths= for LOCAL_STORAGE_PATH")
            case EACCES, EPERM: (.denied, .store, "make LOCAL_STORAGE_PATH writable for this user")
            case ENAMETOOLONG: (.rejected, .object, "shorten KEY_TEMPLATE or CAMERA_NAME")
            case ENOTDIR, EEXIST, EISDIR:
                (.rejected, .object, "something else stands where LOCAL_STORAGE_PATH or the key leads")
            default: (.error, .unclear, nil)
            }
        let failure = Failure(.store(code), "cannot write", path, why: "\(error)", hint: hint, cause: error)
        return StoreFailure(failure, .giveUp, scope)
    }
}
