import Glibc
import SnapshotBase

/// Where a folder for pictures or video lies, and whether its disk is there.
///
/// A disk that isn't mounted leaves an empty folder on another one, usually the memory card. What was stored there would
/// be hidden by the disk, and the card be full.
package struct FolderPlace {
    /// The nearest folder on the way that is there; opening it has had an automount mount its disk.
    package let nearest: Folder
    /// The path without links, and what of it isn't there yet.
    package let path: String

    /// - Parameter path: of the folder that is to be written into, whether it is there or not.
    package init(_ path: String) throws(SystemError) {
        var near = path
        var missing = ""
        while true {
            do throws(SystemError) {
                nearest = try Folder(near)
                break
            } catch  where error.number == ENOENT && parentDirectory(near) != near && !isLink(near) {
                missing = "/" + (near[...].cutAtLast("/").map { String($0.1) } ?? near) + missing
                near = parentDirectory(near)
            }
        }
        let found = nearest.realPath ?? absolutePath(near)
        self.path = withoutSlashAtEnd((found == "/" ? "" : found) + missing)
    }

    /// The mount point whose disk isn't there; nil where nothing is amiss.
    package func missingMount(_ memory: FolderMemory?) throws(SystemError) -> String? {
        if let mount = memory?.mount, isBelow(path, mount), try !hasDisk(mount) { return mount }
        for mount in Mount.wanted() where isBelow(path, mount) && mount != memory?.accepted && mount != memory?.mount {
            if try !hasDisk(mount) { return mount }
        }
        return nil
    }

    /// The innermost mount point on the way to the folder; nil where there is none but the root.
    package func mountPoint() throws(SystemError) -> String? {
        var point = nearest.realPath ?? path
        let device = try nearest.handle.status().st_dev
        var root = stat()
        if stat("/", &root) == 0, root.st_dev == device { return nil }
        while point != "/" {
            if try Folder(parentDirectory(point)).handle.status().st_dev != device { return point }
            point = parentDirectory(point)
        }
        return nil
    }

    /// Whether a file system of its own is there, or a bind mount.
    private func hasDisk(_ mount: String) throws(SystemError) -> Bool {
        let inner: dev_t
        do throws(SystemError) { inner = try Folder(mount).handle.status().st_dev } catch {
            // Who may not look there may not store there, either, and is told that.
            if [EACCES, EPERM].contains(error.number) { throw error }
            return false
        }
        let outer = try Folder(parentDirectory(mount)).handle.status().st_dev
        return inner != outer || Mount.isMounted(mount)
    }
}

private func isLink(_ path: String) -> Bool {
    fileStatus(path).map { $0.st_mode & S_IFMT == S_IFLNK } ?? false
}
