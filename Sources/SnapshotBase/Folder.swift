import CLinux
import Glibc

/// An open directory. All operations use names relative to its descriptor, so they act on this same directory even if
/// its path changes. They never follow a symbolic link at such a name, except that `folder` follows one that root or
/// the effective user owns.
package final class Folder: Sendable {
    /// The path as requested, for messages.
    package let path: String
    package let handle: FileHandle

    package var descriptor: Int32 { handle.descriptor }

    private init(_ path: String, _ handle: FileHandle) {
        self.path = path
        self.handle = handle
    }

    /// Opens a folder. Symbolic links in the path are followed only if root or the effective user owns them.
    /// - Parameter mode: the mode of missing folders, which are created; nil creates none. None is created behind a
    ///   link, as that may point to a disk that is not mounted.
    package convenience init(_ path: String, creating mode: mode_t? = nil) throws(SystemError) {
        self.init(path, try FolderWalk(from: AT_FDCWD, creating: mode).open(path))
    }

    /// Opens a folder below this one by the same rules.
    package func folder(_ below: String, creating mode: mode_t? = nil) throws(SystemError) -> Folder {
        Folder("\(path)/\(below)", try FolderWalk(from: descriptor, creating: mode).open("./" + below))
    }

    /// Opens a folder that only root and the effective user can write, so that no one else can plant files for programs
    /// that open them by name. If the effective user owns the folder, write permission of others is removed.
    /// - Throws: `SystemError` with EPERM if others can write it and it supports symbolic links.
    package convenience init(private path: String, creating mode: mode_t?) throws(SystemError) {
        try self.init(path, creating: mode)
        let facts = try handle.status()
        if facts.st_uid == geteuid(), facts.st_mode & 0o022 != 0 { fchmod(descriptor, facts.st_mode & 0o7755) }
        guard try handle.isWritableByOwnersOnly() || !knowsLinks else { throw SystemError("open", number: EPERM) }
    }

    /// Whether the folder supports symbolic links. FAT and many network file systems make every folder writable for
    /// all, but do not support links either, so no one can plant one.
    private var knowsLinks: Bool {
        let name = ".snapshot-link-\(getpid())"
        defer { unlinkat(descriptor, name, 0) }
        return symlinkat("/", descriptor, name) == 0 || ![EPERM, EOPNOTSUPP, ENOSYS].contains(errno)
    }

    // MARK: Names in it

    /// Opens a file in this folder, close-on-exec and non-blocking, without following a symbolic link.
    package func open(_ name: String, _ flags: Int32, mode: mode_t = 0o600) throws(SystemError) -> FileHandle {
        let all = flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let file = retrying { openat(descriptor, name, all, mode) }
        guard file >= 0 else { throw SystemError("open") }
        return FileHandle(owning: file)
    }

    /// The attributes of an entry; of the link itself if it is one; nil if there is no such entry.
    package func status(_ name: String) -> stat? {
        var status = stat()
        return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
    }

    /// - Returns: false if the file could not be removed; `errno` says why.
    @discardableResult
    package func remove(_ name: String) -> Bool { unlinkat(descriptor, name, 0) == 0 }

    @discardableResult
    package func removeFolder(_ name: String) -> Bool { unlinkat(descriptor, name, AT_REMOVEDIR) == 0 }

    /// Renames an entry, replacing an existing `target` atomically; `other` is the target's folder if it is another
    /// one.
    package func rename(_ name: String, to target: String, in other: Folder? = nil) throws(SystemError) {
        guard renameat(descriptor, name, (other ?? self).descriptor, target) == 0 else { throw SystemError("rename") }
    }

    /// The names of the entries, without `.` and `..`, in no particular order.
    package func names() throws(SystemError) -> [String] {
        let again = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard again >= 0 else { throw SystemError("open") }
        guard let directory = fdopendir(again) else {
            close(again)
            throw SystemError("opendir")
        }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                if errno != 0 { throw SystemError("readdir") }
                return names
            }
            let name = String(cString: shim_name(entry))
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// Makes changes to the directory's entries durable. Network file systems that do not support this give no error.
    package func sync() throws(SystemError) { try Folder.sync(handle) }

    static func sync(_ handle: FileHandle) throws(SystemError) {
        do throws(SystemError) { try handle.sync() } catch {
            guard error.number == EINVAL || error.number == ENOTSUP else { throw error }
        }
    }
}
