import CLinux
import Glibc

/// Which file system a folder is in. No call follows a path into a network or FUSE file system, unless the call begins
/// in one: a folder that hangs would block the caller.
package enum FileSystems {
    /// Whether two folders lie in the same file system.
    /// - Parameters:
    ///   - path: the path of a folder that need not exist yet.
    ///   - base: the path of an existing folder.
    package static func areSame(_ path: String, _ base: String) -> Bool {
        if isInOneMount(path, base) { return true }
        guard let device = device(of: base) else { return false }
        return firstReached(absolutePath(path), of: Mount.all().filter { $0.device != device }.map(\.point)) == nil
    }

    /// The mount point of a network or FUSE file system on the way to `path`, access to which may hang.
    package static func mountThatMayHang(_ path: String) -> String? {
        let path = absolutePath(path)
        // Most files lie in the root's mount, so that the table of mounts need not be read.
        let found = retrying { shim_find_in_root_mount(path) }
        if found >= 0 { close(found) }
        guard found < 0, [EXDEV, ENOSYS, EPERM].contains(errno) else { return nil }
        let mounts = Mount.mountedThatMayHang()
        return mounts.isEmpty ? nil : firstReached(path, of: mounts)
    }

    /// The names in the folder `base`, without those where a file system without a local disk, such as a network
    /// folder, is mounted. Those are not accessed, as they may hang.
    package static func localNames(in base: String) -> [String] {
        guard let folder = try? Folder(base), let names = try? folder.names() else { return [] }
        // At a mount point the call fails with EXDEV; on QEMU and in some containers it fails for every name. For
        // these names the table of mounts says whether to leave them out.
        let doubtful = names.filter { name in
            let found = retrying { shim_find_folder_in_mount(folder.descriptor, "./" + name) }
            if found >= 0 { close(found) }
            return found < 0 && [EXDEV, ENOSYS, EPERM].contains(errno)
        }
        guard !doubtful.isEmpty, let path = folder.realPath, let device = device(of: base) else { return names }
        let mounts = Mount.all()
        return names.filter { name in
            let point = path == "/" ? "/" + name : path + "/" + name
            guard doubtful.contains(name), let mount = mounts.last(where: { $0.point == point }) else { return true }
            return mount.device == device || !mount.device.hasPrefix("0:")
        }
    }

    /// Whether both paths lie in the mount of their common parent folder: a fast check that succeeds in most cases.
    private static func isInOneMount(_ path: String, _ base: String) -> Bool {
        let (one, other) = (absolutePath(path), absolutePath(base))
        let (names, others) = (one[...].cut(at: "/"), other[...].cut(at: "/"))
        let differing = names.indices.first { $0 == others.count || names[$0] != others[$0] } ?? names.count
        let start = differing == 0 ? "" : String(one[..<names[differing - 1].endIndex])
        guard let top = try? Folder(start.isEmpty ? "/" : start) else { return false }
        return [one, other].allSatisfy { path in
            let below = "." + String(decoding: path.utf8.dropFirst(start.utf8.count), as: UTF8.self)
            let found = retrying { shim_find_folder_in_mount(top.descriptor, below) }
            if found >= 0 { close(found) }
            return found >= 0 || errno == ENOENT
        }
    }

    private static func device(of folder: String) -> String? {
        guard let facts = try? Folder(folder).handle.status() else { return nil }
        return "\(shim_major(UInt64(facts.st_dev))):\(shim_minor(UInt64(facts.st_dev)))"
    }

    /// Resolves `path`, links included, until it reaches one of `others`, which is returned and not accessed.
    private static func firstReached(_ path: String, of others: [String]) -> String? {
        var here = ""
        var rest = Array(path[...].cut(at: "/").reversed())
        var links = 0
        while let name = rest.popLast() {
            if name.isEmpty || name == "." { continue }
            if name == ".." {
                here = parentDirectory(here.isEmpty ? "/" : here)
                if here == "/" { here = "" }
                continue
            }
            let next = here + "/" + name
            if others.contains(next) { return next }
            var text = [CChar](repeating: 0, count: Int(PATH_MAX))
            let length = readlink(next, &text, text.count)
            guard length > 0 else {
                here = next
                continue
            }
            links += 1
            if links > 40 { return next }
            let target = String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if target.utf8.first == UInt8(ascii: "/") { here = "" }
            rest += target[...].cut(at: "/").reversed()
        }
        return nil
    }
}
