import SnapshotBase

/// File systems that the kernel makes up, where no files can be kept.
private let pseudoTypes = [
    "proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "debugfs", "tracefs", "securityfs", "bpf",
    "binfmt_misc",
]

/// Whether a path lies on a pseudo file system, or on that of `/dev`. It reads the table of mounts alone, since access
/// to the path itself may hang.
package func isOnPseudoFileSystem(_ path: String) -> Bool {
    let path = absolutePath(path)
    let mounts = Mount.all().filter { isBelow(path, $0.point) }
    guard let mount = mounts.max(by: { $0.point.utf8.count <= $1.point.utf8.count }) else { return false }
    return mount.point == "/dev" || pseudoTypes.contains(mount.type)
}
