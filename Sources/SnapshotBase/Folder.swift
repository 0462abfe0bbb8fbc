import Glibc

/// A folder that is open. What is done below it is done by name in this very folder, wherever its path leads by then,
/// and no link at such a name is followed.
package final class Folder: Sendable {
    /// As it was asked for; for messages.
    package let path: String
    package let handle: FileHandle

    package var descriptor: Int32 { handle.descriptor }

    private init(_ path: String, _ handle: FileHandle) {
        self.path = path
        self.handle = handle
    }

    /// Opens a folder. Links on the way to it are followed if they are root's or the effective user's, others never.
    /// - Parameter mode: of the folders that are missing on the way; nil makes none. None is made behind a link: that
    ///   may lead to a disk that isn't mounted.
    package convenience init(_ path: String, creating mode: mode_t? = nil) throws(SystemError) {
        self.init(path, try FolderWalk(from: AT_FDCWD, creating: mode).open(path))
    }

    /// The folder at a path below this one, by the same rules.
    package func folder(_ below: String, creating mode: mode_t? = nil) throws(SystemError) -> Folder {
        Folder("\(path)/\(below)", try FolderWalk(from: descriptor, creating: mode).open("./" + below))
    }

    /// A folder in which nobody but root and the effective user may write, so that nobody plants names for programs
    /// that open files by name. One of ours that others may write is closed to them.
    package convenience init(private path: String, creating mode: mode_t?) throws(SystemError) {
        try self.init(path, creating: mode)
        let facts = try handle.status()
        if facts.st_uid == geteuid(), facts.st_mode & 0o022 != 0 { fchmod(descriptor, facts.st_mode & 0o7755) }
        guard try handle.isWritableByOwnersOnly() || !knowsLinks else { throw SystemError("open", number: EPERM) }
    }

    /// FAT and many network file systems give each folder to everybody, but know no links either.
    private var knowsLinks: Bool {
        let name = ".snapshot-link-\(getpid())"
        defer { unlinkat(descriptor, name, 0) }
        return symlinkat("/", descriptor, name) == 0 || ![EPERM, EOPNOTSUPP, ENOSYS].contains(errno)
    }

    // MARK: Names in it

    /// Opens the file of that name; close-on-exec always, no link followed, nobody waited for at a pipe.
    package func open(_ name: String, _ flags: Int32, mode: mode_t = 0o600) throws(SystemError) -> FileHandle {
        let all = flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let file = retrying { openat(descriptor, name, all, mode) }
        guard file >= 0 else { throw SystemError("open") }
        return FileHandle(owning: file)
    }

    /// What stands there, be it a link; nil where nothing does.
    package func status(_ name: String) -> stat? {
        var facts = stat()
        return fstatat(descriptor, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 ? facts : nil
    }

    /// - Returns: false where it stays; `errno` tells why.
    @discardableResult
    package func remove(_ name: String) -> Bool { unlinkat(descriptor, name, 0) == 0 }

    @discardableResult
    package func removeFolder(_ name: String) -> Bool { unlinkat(descriptor, name, AT_REMOVEDIR) == 0 }

    package func rename(_ name: String, to target: String, in other: Folder? = nil) throws(SystemError) {
        guard renameat(descriptor, name, (other ?? self).descriptor, target) == 0 else { throw SystemError("rename") }
    }

    /// The names in it, without `.` and `..`, in no order.
    package func names() throws(SystemError) -> [String] {
        let again = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard again >= 0 else { throw SystemError("open") }
        guard let directory = fdopendir(again) else {
            close(again)
            throw SystemError("opendir")
        }
        return try readNames(directory)
    }

    /// Makes the names in it durable, as far as its file system knows how: some network ones don't.
    package func sync() throws(SystemError) { try Folder.sync(handle) }

    static func sync(_ handle: FileHandle) throws(SystemError) {
        do throws(SystemError) { try handle.sync() } catch {
            guard error.number == EINVAL || error.number == ENOTSUP else { throw error }
        }
    }
}
