import Glibc
import SnapshotBase
import SnapshotHTTP

/// What `snapshot check` tries in the folder.
extension FolderWork {
    private static let content = Array("probe\n".utf8)

    /// Writes a file as a capture writes its picture, and removes it with the folders that were created for it.
    package func probe(_ key: String) -> FolderReport {
        var report = FolderReport()
        let path = settings.path + "/" + probeName(key)
        var made: [String] = []
        defer { for folder in made { removeFolder(folder) } }
        do throws(SystemError) {
            let location = try FolderLocation(folder(of: key))
            if let mount = try location.missingMount(FolderMemory(reading: statePath)) {
                return FolderReport(.init(missingMount: mount))
            }
            report.isMissing = try lookUp(settings.path) == nil
            made = missingFolders(from: parentDirectory(path))
            _ = try Folder(settings.path, creating: 0o750)
            try writeFile(.bytes(Self.content), at: path)
            guard removeFile(path) else { throw SystemError("unlink") }
            report.free = freeBytes(settings.path)
            if settings.isBounded { report.isFull = isFull }
        } catch { report.failure = FolderReport.ReportedFailure(error) }
        return report
    }

    /// A name with the key's characters and, unless it is short, the key's length, but never that of a picture.
    private func probeName(_ key: String) -> String {
        let end = ".~" + hexadecimal(Crypto.random(1))
        let name = key[...].cutAtLast("/").map { $0.1 } ?? key[...]
        return String(name.utf8.count > 8 ? key.dropLast(4) : key[...]) + end
    }

    /// The folders on the path that don't exist, innermost first.
    private func missingFolders(from path: String) -> [String] {
        var (path, missing) = (path, [String]())
        while !fileExists(path), parentDirectory(path) != path {
            missing.append(path)
            path = parentDirectory(path)
        }
        return missing
    }

    /// Whether a limit can't be kept, judging by the ledger.
    private var isFull: Bool {
        guard FolderMemory(reading: statePath)?.search == nil else { return false }
        do throws(SystemError) { return try Retention(ledger, settings, keeping: "").isFull } catch { return true }
    }

    /// Accepts the folder as it is, although no disk is mounted there.
    /// - Returns: the mount point that no longer needs a disk; nil where no disk was missing.
    package func accept(_ key: String, now: Timestamp) throws(SystemError) -> String? {
        let stored = FolderMemory(reading: statePath)
        let location = try FolderLocation(folder(of: key))
        guard let mount = try location.missingMount(stored) else { return nil }
        var memory = stored ?? FolderMemory()
        memory.path = absolutePath(settings.path)
        memory.mount = nil
        memory.accepted = mount
        // This is not the disk's folder, so the ledger doesn't describe it: search it for pictures.
        memory.identity = nil
        if !ledger.isEmpty || stored == nil {
            memory.search = FolderMemory.SearchProgress()
            memory.search?.before = Int(now.milliseconds)
            ledger.clear()
        }
        try memory.write(to: statePath)
        return mount
    }
}
