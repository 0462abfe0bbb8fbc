import Glibc
import SnapshotBase
import SnapshotHTTP

/// What `snapshot check` does in the folder.
extension FolderWork {
    private static let content = Array("probe\n".utf8)

    /// Puts a file as a capture puts its picture, beside where that would lie, and removes it and the folders that were
    /// made for it.
    package func probe(_ key: String) -> FolderReport {
        var report = FolderReport()
        let path = settings.path + "/" + probeName(key)
        var made: [String] = []
        defer { for folder in made { removeFolder(folder) } }
        do throws(SystemError) {
            let place = try FolderPlace(folder(of: key))
            if let mount = try place.missingMount(FolderMemory(reading: statePath)) {
                return FolderReport(FolderReport.Trouble(away: mount))
            }
            report.isMissing = try lookUp(settings.path) == nil
            made = missingFolders(from: parentDirectory(path))
            _ = try Folder(settings.path, creating: 0o750)
            try self.place(.bytes(Self.content), at: path)
            guard removeFile(path) else { throw SystemError("unlink") }
            report.free = freeBytes(settings.path)
            if settings.isBounded { report.isFull = isFull }
        } catch {
            report.trouble = FolderReport.Trouble(error)
        }
        return report
    }

    /// As long as the key, with the same characters, but never a picture's.
    private func probeName(_ key: String) -> String {
        let end = ".~" + hexadecimal(Crypto.random(1))
        let name = key[...].cutAtLast("/").map { $0.1 } ?? key[...]
        return String(name.utf8.count > 8 ? key.dropLast(4) : key[...]) + end
    }

    /// The innermost first.
    private func missingFolders(from path: String) -> [String] {
        var (path, missing) = (path, [String]())
        while !fileExists(path), parentDirectory(path) != path {
            missing.append(path)
            path = parentDirectory(path)
        }
        return missing
    }

    /// Whether a bound can't be kept, as far as the ledger tells.
    private var isFull: Bool {
        guard FolderMemory(reading: statePath)?.search == nil else { return false }
        do throws(SystemError) { return try Retention(ledger, settings, keeping: "").isFull } catch { return true }
    }

    /// Has pictures go to the folder as it is, though no disk is mounted there.
    /// - Returns: the mount point that is given up; nil where nothing was amiss.
    package func accept(_ key: String, now: Timestamp) throws(SystemError) -> String? {
        let had = FolderMemory(reading: statePath)
        let place = try FolderPlace(folder(of: key))
        guard let mount = try place.missingMount(had) else { return nil }
        var memory = had ?? FolderMemory()
        memory.path = absolutePath(settings.path)
        memory.mount = nil
        memory.accepted = mount
        // Another folder than the disk's: what lies there is yet to be found.
        memory.identity = nil
        if !ledger.isEmpty || had == nil {
            memory.search = FolderMemory.Search()
            memory.search?.before = Int(now.milliseconds)
            ledger.clear()
        }
        try memory.write(to: statePath)
        return mount
    }
}
