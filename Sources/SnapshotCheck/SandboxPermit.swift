import SnapshotBase

/// The lines of a drop-in's `[Service]` section that let the sandboxed service write into `folder`, an absolute path.
package func sandboxPermit(for folder: String) -> [String] {
    let home = isHome(folder) ? ["ProtectHome=read-only"] : []
    guard let mount = hangingMount(of: folder) else { return home + ["ReadWritePaths=-\(folder)"] }
    // systemd opens every path of ReadWritePaths= before it starts the service, and would hang with the folder.
    let parent = parentDirectory(mount)
    return home + [parent == "/" ? "ProtectSystem=full" : "ReadWritePaths=-\(parent)"]
}

/// The mount point of the file system that holds `path`, if access to it may hang (network, FUSE); otherwise nil.
func hangingMount(of path: String) -> String? {
    Mount.pointsThatMayHang().filter { isBelow(path, $0) }.max { $0.utf8.count < $1.utf8.count }
}

/// Whether `ProtectHome=` hides the path.
func isHome(_ path: String) -> Bool { ["/home", "/root", "/run/user"].contains { isBelow(path, $0) } }
