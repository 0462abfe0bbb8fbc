import CLinux
import Glibc

/// Resolves a path to a folder, checking the owner of every symbolic link in it.
struct FolderWalk {
    private static let pathOnly = Int32(shim_O_PATH)

    let start: Int32
    let mode: mode_t?

    init(from start: Int32, creating mode: mode_t?) {
        self.start = start
        self.mode = mode
    }

    func open(_ path: String) throws(SystemError) -> FileHandle {
        // Most paths contain no link; then one openat2 call is enough.
        let direct = retrying { shim_open_folder_without_links(start, path) }
        if direct >= 0 { return FileHandle(owning: direct) }
        // A link before the missing folder would have failed with ELOOP, so there is none to follow.
        if errno == ENOENT, mode == nil { throw SystemError("open") }
        return try openInSteps(path)
    }

    private func openInSteps(_ path: String) throws(SystemError) -> FileHandle {
        var here = try step(from: start, path.utf8.first == UInt8(ascii: "/") ? "/" : ".")
        var rest = Array(path[...].cut(at: "/").reversed())
        var links = 0
        // The number of pending components that belong to the path itself, not to the target of a link.
        var own = rest.count
        while !rest.isEmpty {
            let isOwn = rest.count <= own
            let name = rest.removeLast()
            if isOwn { own = rest.count }
            if name.isEmpty || name == "." { continue }
            do throws(SystemError) {
                here = try step(from: here.descriptor, String(name))
            } catch  where error.number == ENOENT && mode != nil && isOwn {
                here = try make(String(name), in: here)
            } catch  where [ELOOP, ENOTDIR].contains(error.number) {
                links += 1
                guard let target = try link(String(name), in: here), links <= 40 else { throw error }
                if target.utf8.first == UInt8(ascii: "/") { here = try step(from: AT_FDCWD, "/") }
                rest += target[...].cut(at: "/").reversed()
            }
        }
        let folder = openat(here.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw SystemError("open") }
        return FileHandle(owning: folder)
    }

    private func step(from here: Int32, _ name: String) throws(SystemError) -> FileHandle {
        // O_DIRECTORY triggers automounts, which O_PATH alone does not.
        let next = retrying { openat(here, name, Self.pathOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        guard next >= 0 else { throw SystemError("open") }
        return FileHandle(owning: next)
    }

    private func make(_ name: String, in here: FileHandle) throws(SystemError) -> FileHandle {
        guard mkdirat(here.descriptor, name, mode ?? 0o700) == 0 || errno == EEXIST else { throw SystemError("mkdir") }
        let parent = openat(here.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if parent >= 0 { try Folder.sync(FileHandle(owning: parent)) }
        return try step(from: here.descriptor, name)
    }

    /// The target of a symbolic link that may be followed; nil if the entry is not a link.
    private func link(_ name: String, in here: FileHandle) throws(SystemError) -> String? {
        let found = retrying { openat(here.descriptor, name, Self.pathOnly | O_NOFOLLOW | O_CLOEXEC) }
        guard found >= 0 else { throw SystemError("open") }
        let link = FileHandle(owning: found)
        let facts = try link.status()
        guard facts.st_mode & S_IFMT == S_IFLNK else { return nil }
        guard facts.st_uid == 0 || facts.st_uid == geteuid() else { throw SystemError("open", number: ELOOP) }
        var text = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlinkat(link.descriptor, "", &text, text.count)
        guard length > 0 else { throw SystemError("readlink") }
        return String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
