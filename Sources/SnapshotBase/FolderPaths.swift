import Glibc

// Single steps on files below folders, each by its path. All follow the rules of `Folder`: links to folders are followed
// if they are root's or the effective user's, a link at the file's own name never.

/// The folder of a path, and the name in it.
private func place(_ path: String) throws(SystemError) -> (folder: Folder, name: String) {
    (try Folder(parentDirectory(path)), path[...].cutAtLast("/").map { String($0.1) } ?? path)
}

/// Opens a file below a folder.
package func openFile(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(SystemError) -> FileHandle {
    let (folder, name) = try place(path)
    return try folder.open(name, flags, mode: mode)
}

/// The whole of a file, at most `limit` bytes of it. A pipe in its place is an empty one.
package func readFile(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
    try openFile(path, O_RDONLY).readAll(limit: limit)
}

/// What stands there, be it a link; nil where nothing does.
package func fileStatus(_ path: String) -> stat? {
    (try? place(path)).flatMap { $0.folder.status($0.name) }
}

/// What stands there, be it a link; nil where nothing does.
/// - Throws: where that can't be known, as on a disk that fails.
package func lookUp(_ path: String) throws(SystemError) -> stat? {
    do throws(SystemError) {
        let (folder, name) = try place(path)
        if let facts = folder.status(name) { return facts }
        throw SystemError("fstatat")
    } catch  where [ENOENT, ENOTDIR].contains(error.number) { return nil }
}

/// - Returns: false where it stays; `errno` tells why.
@discardableResult
package func removeFile(_ path: String) -> Bool {
    do throws(SystemError) {
        let (folder, name) = try place(path)
        return folder.remove(name)
    } catch {
        errno = error.number
        return false
    }
}

@discardableResult
package func removeFolder(_ path: String) -> Bool {
    (try? place(path)).map { $0.folder.removeFolder($0.name) } ?? false
}

package func moveFile(_ path: String, to target: String) throws(SystemError) {
    let (from, to) = (try place(path), try place(target))
    try from.folder.rename(from.name, to: to.name, in: to.folder)
}

/// Makes a directory and its parents; one that is there already is fine.
package func makeDirectory(_ path: String, mode: mode_t) throws(SystemError) { _ = try Folder(path, creating: mode) }

/// Makes the names in a directory durable, as far as its file system knows how: some network ones don't.
package func syncDirectory(_ path: String) throws(SystemError) { try Folder(path).sync() }

/// The names in a directory, without `.` and `..`, in no order.
package func listDirectory(_ path: String) throws(SystemError) -> [String] { try Folder(path).names() }

/// Puts `pieces` under `path` so that after any crash it holds either the old content or all of the new:
/// temporary file, write, fsync, rename, fsync of the directory. `temporary` must be on the same file system.
package func writeDurably(
    _ pieces: [[UInt8]], to path: String, temporary: String, mode: mode_t, isServed: Bool = false
) throws(SystemError) {
    try writeDurably(to: path, temporary: temporary, mode: mode) { file throws(SystemError) in
        if isServed { file.shareWithFront() }
        for piece in pieces { try file.write(piece) }
    }
}

/// The same for content that `write` brings into the file bit by bit.
package func writeDurably(
    to path: String, temporary: String, mode: mode_t, write: (FileHandle) throws(SystemError) -> Void
) throws(SystemError) {
    let target = try place(path)
    let new = parentDirectory(temporary) == parentDirectory(path) ? target.folder : try place(temporary).folder
    let name = temporary[...].cutAtLast("/").map { String($0.1) } ?? temporary
    try target.folder.put(target.name, by: name, in: new, mode: mode, write: write)
}

extension Folder {
    /// Puts a file under `name`, as `writeDurably` does: `write` fills it under the name `temporary` in `folder`.
    package func put(
        _ name: String, by temporary: String, in folder: Folder, mode: mode_t,
        write: (FileHandle) throws(SystemError) -> Void
    ) throws(SystemError) {
        do throws(SystemError) {
            // What a killed run left may be somebody else's, or of another mode.
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
