import Glibc

// Single operations on files by path. All follow the rules of `Folder`: a symbolic link to a folder is followed if root
// or the effective user owns it, a link at the file's own name never.

/// Splits a path into its open folder and the last name.
private func openParent(of path: String) throws(SystemError) -> (folder: Folder, name: String) {
    (try Folder(parentDirectory(path)), path[...].cutAtLast("/").map { String($0.1) } ?? path)
}

/// Opens a file by the rules of `Folder.open`.
package func openFile(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(SystemError) -> FileHandle {
    let (folder, name) = try openParent(of: path)
    return try folder.open(name, flags, mode: mode)
}

/// Reads a file, at most `limit` bytes of it. A FIFO without a writer reads as empty.
package func readFile(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    try openFile(path, O_RDONLY).readAll(limit: limit)
}

/// The attributes of a path; of the link itself if it is one; nil if it does not exist or cannot be examined.
package func fileStatus(_ path: String) -> stat? {
    (try? openParent(of: path)).flatMap { $0.folder.status($0.name) }
}

/// The attributes of a path; of the link itself if it is one; nil if it does not exist.
/// - Throws: if that cannot be determined, e.g. on a failing disk.
package func lookUp(_ path: String) throws(SystemError) -> stat? {
    do throws(SystemError) {
        let (folder, name) = try openParent(of: path)
        if let facts = folder.status(name) { return facts }
        throw SystemError("fstatat")
    } catch  where [ENOENT, ENOTDIR].contains(error.number) { return nil }
}

/// - Returns: false if the file could not be removed; `errno` says why.
@discardableResult
package func removeFile(_ path: String) -> Bool {
    do throws(SystemError) {
        let (folder, name) = try openParent(of: path)
        return folder.remove(name)
    } catch {
        errno = error.number
        return false
    }
}

@discardableResult
package func removeFolder(_ path: String) -> Bool {
    (try? openParent(of: path)).map { $0.folder.removeFolder($0.name) } ?? false
}

/// Renames a file, replacing an existing `target` atomically; both must be on the same file system.
package func moveFile(_ path: String, to target: String) throws(SystemError) {
    let (from, to) = (try openParent(of: path), try openParent(of: target))
    try from.folder.rename(from.name, to: to.name, in: to.folder)
}

/// Makes a directory and its missing parents; an existing one is not an error.
package func makeDirectory(_ path: String, mode: mode_t) throws(SystemError) { _ = try Folder(path, creating: mode) }

/// Makes changes to a directory's entries durable. Network file systems that do not support this give no error.
package func syncDirectory(_ path: String) throws(SystemError) { try Folder(path).sync() }

/// The names of a directory's entries, without `.` and `..`, in no particular order.
package func listDirectory(_ path: String) throws(SystemError) -> [String] { try Folder(path).names() }

/// Replaces `path` by `pieces` atomically and durably, so that after a crash it holds either the old content or all of
/// the new: write to the temporary file, fsync, rename, fsync of the directory. `temporary` must be on the same file
/// system.
package func writeDurably(
    _ pieces: [[UInt8]], to path: String, temporary: String, mode: mode_t, isServed: Bool = false
) throws(SystemError) {
    try writeDurably(to: path, temporary: temporary, mode: mode) { file throws(SystemError) in
        if isServed { file.shareWithFront() }
        for piece in pieces { try file.write(piece) }
    }
}

/// Replaces `path` in the same way; `write` writes the content into the temporary file.
package func writeDurably(
    to path: String, temporary: String, mode: mode_t, write: (FileHandle) throws(SystemError) -> Void
) throws(SystemError) {
    let target = try openParent(of: path)
    let new = parentDirectory(temporary) == parentDirectory(path) ? target.folder : try openParent(of: temporary).folder
    let name = temporary[...].cutAtLast("/").map { String($0.1) } ?? temporary
    try target.folder.replace(target.name, temporary: name, in: new, mode: mode, write: write)
}

extension Folder {
    /// Creates or replaces the file `name` as `writeDurably` does; `write` fills the file `temporary` in `folder`.
    package func replace(
        _ name: String, temporary: String, in folder: Folder, mode: mode_t,
        write: (FileHandle) throws(SystemError) -> Void
    ) throws(SystemError) {
        do throws(SystemError) {
            // A file left by a killed run may have another owner or mode.
            folder.remove(temporary)
            let file = try folder.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
            try write(file)
            try file.sync()
            try folder.rename(temporary, to: name, in: self)
            try sync()
        } catch {
            folder.remove(temporary)
            throw error
        }
    }
}
