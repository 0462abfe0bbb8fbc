import Glibc
import SnapshotBase

/// Where a folder for pictures or recordings is, and whether its disk is mounted.
///
/// Without its disk a mount point is an empty folder on another disk, usually the memory card. Files written there
/// would fill the card, and be hidden once the disk is mounted.
package struct FolderLocation {
    /// The innermost part of the path that exists. Opening it has triggered the automount, if there is one.
    package let nearest: Folder
    /// The absolute path without symbolic links, including what doesn't exist yet.
    package let path: String

    /// - Parameter path: of the folder to write into, whether or not it exists.
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

    /// The mount point on the path whose disk is missing; nil where none is. A disk is expected where pictures were
    /// stored below its mount point before, and where `/etc/fstab` names it.
    package func missingMount(_ memory: FolderMemory?) throws(SystemError) -> String? {
        if let mount = memory?.mount, isBelow(path, mount), try !hasDisk(mount) { return mount }
        for mount in Mount.inFstab() where isBelow(path, mount) && mount != memory?.accepted && mount != memory?.mount {
            if try !hasDisk(mount) { return mount }
        }
        return nil
    }

    /// The innermost mount point on the path; nil where the folder is on the root file system.
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

    /// Whether a separate file system or a bind mount is mounted there.
    private func hasDisk(_ mount: String) throws(SystemError) -> Bool {
        let inner: dev_t
        do throws(SystemError) { inner = try Folder(mount).handle.status().st_dev } catch {
            // Without permission to look, storing there would fail as well: report that.
            if [EACCES, EPERM].contains(error.number) { throw error }
            return false
        }
        let outer = try Folder(parentDirectory(mount)).handle.status().st_dev
        return inner != outer || Mount.isMounted(mount)
    }
}

private func isLink(_ path: String) -> Bool { fileStatus(path).map { $0.st_mode & S_IFMT == S_IFLNK } ?? false }
