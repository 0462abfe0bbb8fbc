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

    /// A folder of this name in which nobody but root and the effective user may write, so that nobody plants names for
    /// programs that open files by name. One of ours that others may write is closed to them.
    package func privateFolder(_ name: String, mode: mode_t) throws(SystemError) -> Folder {
        let found = try folder(name, creating: mode)
        let facts = try found.handle.status()
        if facts.st_uid == geteuid(), facts.st_mode & 0o022 != 0 { fchmod(found.descriptor, facts.st_mode & 0o7755) }
        guard try found.handle.isWritableByOwnersOnly() || !found.knowsLinks else {
            throw SystemError("open", number: EPERM)
        }
        return found
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

    /// The whole of a file, at most `limit` bytes of it.
    package func read(_ name: String, limit: Int) throws(SystemError) -> [UInt8] {
        try open(name, O_RDONLY).readAll(limit: limit)
    }

    /// What stands there, be it a link; nil where nothing does.
    package func status(_ name: String) -> stat? {
        var facts = stat()
        return fstatat(descriptor, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 ? facts : nil
    }

    package func contains(_ name: String) -> Bool { status(name) != nil }

    /// Bytes of the regular file of that name; nil for anything else.
    package func size(_ name: String) -> Int? {
        status(name).flatMap { $0.st_mode & S_IFMT == S_IFREG ? Int($0.st_size) : nil }
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

    /// Whether its path still leads here.
    package var isAtItsPath: Bool {
        guard let own = try? handle.status(), let found = try? Folder(path).handle.status() else { return false }
        return own.st_ino == found.st_ino && own.st_dev == found.st_dev
    }

    /// Puts `pieces` under `name` so that after any crash it holds either the old content or all of the new: temporary
    /// file, write, fsync, rename, fsync of this folder.
    /// - Parameter temporary: another folder for the temporary file, on the same file system; its name is `name` then,
    ///   and `name.new` in this one.
    package func write(
        _ pieces: [[UInt8]], to name: String, by temporary: Folder? = nil, mode: mode_t
    ) throws(SystemError) {
        try write(to: name, by: temporary, mode: mode) { file throws(SystemError) in
            for piece in pieces { try file.write(piece) }
        }
    }

    /// The same for content that `write` brings into the file bit by bit.
    package func write(
        to name: String, by temporary: Folder? = nil, mode: mode_t,
        _ write: (FileHandle) throws(SystemError) -> Void
    ) throws(SystemError) {
        let (folder, new) = (temporary ?? self, temporary == nil ? name + ".new" : name)
        do throws(SystemError) {
            // What a killed run left may be somebody else's, or of another mode.
            folder.remove(new)
            let file = try folder.open(new, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
            try write(file)
            try file.sync()
            try folder.rename(new, to: name, in: self)
            try sync()
        } catch {
            folder.remove(new)
            throw error
        }
    }
}
