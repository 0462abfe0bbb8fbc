import SnapshotBase

/// The lines of a drop-in's `[Service]` that let the confined service write in `folder`, an absolute path.
package func sandboxPermit(for folder: String) -> [String] {
    let home = isHome(folder) ? ["ProtectHome=read-only"] : []
    guard let mount = hangingMount(of: folder) else { return home + ["ReadWritePaths=-\(folder)"] }
    // systemd looks at every path that it is given before it starts the service, and would wait there with a folder that hangs.
    let parent = parentDirectory(mount)
    return home + [parent == "/" ? "ProtectSystem=full" : "ReadWritePaths=-\(parent)"]
}

/// The mount on which `path` lies, where it is one that may hang.
func hangingMount(of path: String) -> String? {
    Mount.mayHang().filter { isBelow(path, $0) }.max { $0.utf8.count < $1.utf8.count }
}

/// Whether `ProtectHome=` hides it.
func isHome(_ path: String) -> Bool { ["/home", "/root", "/run/user"].contains { isBelow(path, $0) } }
