import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotKeys

/// The work in a store's folder. It keeps what it learns in files, so a forked copy of this process can do it, too.
package struct FolderWork {
    package let settings: FilesystemSettings
    package let statePath: String
    let ledger: StoredLedger

    package init(_ settings: FilesystemSettings, statePath: String) {
        (self.settings, self.statePath) = (settings, statePath)
        ledger = StoredLedger(statePath: statePath)
    }

    /// The folder that an object's file goes into.
    package func folder(of object: StoredObject) -> String { folder(of: object.key) }

    package func folder(of key: String) -> String { parentDirectory(settings.path + "/" + key) }

    // MARK: Writing

    /// Writes the object and reports that; then applies the limits and reports again.
    func put(_ object: StoredObject, _ send: (FolderReport) -> Void) {
        let stored = FolderMemory(reading: statePath)
        var memory: FolderMemory?
        var replaced: Int?
        do throws(SystemError) {
            let location = try FolderLocation(folder(of: object))
            if let mount = try location.missingMount(stored) { return send(FolderReport(.init(missingMount: mount))) }
            do throws(SystemError) { replaced = try write(object, stored, &memory) } catch {
                // Disk full: apply retention now and try once more.
                guard [ENOSPC, EDQUOT].contains(error.number), settings.isBounded,
                    applyLimits(&memory, object, room: object.content.length.adding(1 << 16)).hasDeleted
                else { throw error }
                replaced = try write(object, stored, &memory)
            }
        } catch {
            remember(memory, stored)
            var report = FolderReport(FolderReport.ReportedFailure(error))
            report.isFull = [ENOSPC, EDQUOT].contains(error.number)
            return send(report)
        }
        var report = FolderReport()
        send(report)
        if settings.isBounded {
            report.isFull = applyLimits(&memory, object).isFull
        } else {
            try? ledger.tidy(settings, replaced: replaced != nil)
        }
        remember(memory, stored)
        send(report)
    }

    /// - Returns: the size of the file that was replaced; nil where there was none.
    private func write(
        _ object: StoredObject, _ stored: FolderMemory?, _ memory: inout FolderMemory?
    ) throws(SystemError) -> Int? {
        let path = settings.path + "/" + object.key
        let folder = folder(of: object)
        // Mode 0750 keeps others out. All within is readable, so this folder's mode alone decides who else sees it.
        let root = try Folder(settings.path, creating: 0o750)
        if memory == nil { memory = recall(stored, root, before: object.capturedAt) }
        let old = try lookUp(path).flatMap { $0.st_mode & S_IFMT == S_IFREG ? Int($0.st_size) : nil }
        // Store the picture even if the ledger can't be written: retention then won't delete it.
        let line = try? ledger.add(object, replacing: old)
        do throws(SystemError) { try writeFile(object.content, at: path) } catch {
            if let line { ledger.takeBack(line) }
            throw error
        }
        memory?.rememberMount(of: try? FolderLocation(folder))
        return old
    }

    /// Writes a file below the folder, and creates the folders on its path.
    func writeFile(_ content: HTTPBody, at path: String) throws(SystemError) {
        do throws(SystemError) { try write(content, to: path, temporaryIn: settings.path) } catch {
            // The key's folder is on another disk: the temporary file goes there.
            guard error.number == EXDEV else { throw error }
            try write(content, to: path, temporaryIn: parentDirectory(path))
        }
    }

    /// Part of the names of temporary files, so that those of states that share the folder never collide.
    private var writer: String { String(hexadecimal(Crypto.sha256(Array(statePath.utf8))).prefix(12)) }

    func write(_ content: HTTPBody, to path: String, temporaryIn folder: String) throws(SystemError) {
        let incoming = try inFolder(of: path) { () throws(SystemError) in
            try IncomingFile(in: folder, writer: writer, mode: 0o644)
        }
        let move = { (from: String) throws(SystemError) in
            try inFolder(of: path) { () throws(SystemError) in try moveFile(from, to: path) }
        }
        try incoming.put(to: path, move) { file throws(SystemError) in try content.copy(to: file) }
    }

    /// Creates the folders on the path, then calls `work`; both again if another process has removed them meanwhile.
    private func inFolder<Value: ~Copyable>(
        of path: String, _ work: () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        let parent = parentDirectory(path)
        for _ in 1...50 {
            var folder: FileHandle?
            do throws(SystemError) {
                try makeDirectory(parent, mode: 0o755)
                folder = try? openFile(parent, O_RDONLY | O_DIRECTORY)
                return try work()
            } catch {
                guard error.number == ENOENT else { throw error }
                // Some file systems report this for a name that they can't store: the folder is still there.
                if let folder, IncomingFile.isAt(parent, folder) { break }
            }
        }
        throw SystemError("open", number: EINVAL)
    }

    // MARK: Memory

    /// The memory of this folder. For another folder than the last one, a search for earlier pictures begins.
    func recall(_ stored: FolderMemory?, _ root: Folder, before now: Timestamp) -> FolderMemory {
        let path = absolutePath(settings.path)
        let identity = root.identity
        if var memory = stored, memory.path == path,
            memory.identity == nil || identity == nil || memory.identity == identity
        {
            memory.identity = memory.identity ?? identity
            return memory
        }
        var memory = FolderMemory()
        (memory.path, memory.identity) = (path, identity)
        // A mount point that was accepted as unmounted stays accepted.
        memory.accepted = stored?.path == path ? stored?.accepted : nil
        let isUpgrade = stored == nil && !ledger.isEmpty
        if !isUpgrade {
            ledger.clear()
            memory.search = FolderMemory.SearchProgress()
            memory.search?.before = Int(now.milliseconds)
        }
        return memory
    }

    private func remember(_ memory: FolderMemory?, _ stored: FolderMemory?) {
        if let memory, memory != stored { try? memory.write(to: statePath) }
    }

    // MARK: Limits

    /// Once the search for earlier pictures is complete, applies the limits, and frees `room` bytes even if none is
    /// exceeded.
    private func applyLimits(
        _ memory: inout FolderMemory?, _ object: StoredObject, room: Int = 0
    ) -> (hasDeleted: Bool, isFull: Bool) {
        do throws(SystemError) {
            if let progress = memory?.search {
                let suffix = object.key.hasSuffix(".mp4") ? ".mp4" : nil
                let shape = KeyShape(settings.template, camera: settings.camera, suffix: suffix)
                var search = FolderSearch(of: settings.path, shape, into: ledger, progress)
                let isDone = try search.run()
                memory?.search = isDone ? nil : search.progress
                // Until the search is complete, the oldest picture is unknown: delete nothing.
                guard isDone else { return (false, false) }
            }
            let latest = room > 0 ? object.capturedAt : nil
            var retention = try Retention(ledger, settings, keeping: object.key, room: room, latest: latest)
            try retention.run()
            return (retention.hasDeleted, retention.isFull)
        } catch {
            // The ledger or the folder can't be read: nothing more is deleted, and no further line is dropped.
            return (false, true)
        }
    }
}

extension FolderMemory {
    /// Remembers the mount point below which a picture was just stored; it is no longer accepted as unmounted. After a
    /// picture on the root file system the mount point known so far stays, unless that picture's path is below it: the
    /// spool may hold pictures whose keys are below it.
    fileprivate mutating func rememberMount(of location: FolderLocation?) {
        guard let location, let found = try? location.mountPoint() ?? "" else { return }
        if !found.isEmpty || isBelow(location.path, mount ?? "/") { mount = found.isEmpty ? nil : found }
        if found == accepted { accepted = nil }
    }
}

extension HTTPBody {
    fileprivate func copy(to target: FileHandle) throws(SystemError) {
        switch self {
        case .bytes(let bytes): try target.write(bytes)
        case .file(let file, let offset, let length):
            // Copied in pieces, since a recording may be larger than a board's memory.
            guard lseek(file.descriptor, off_t(offset), SEEK_SET) >= 0 else { throw SystemError("lseek") }
            var left = length
            while left > 0 {
                let piece = try file.readAll(limit: min(left, 1 << 18))
                guard !piece.isEmpty else { throw SystemError("read", number: EIO) }
                try target.write(piece)
                left -= piece.count
            }
        case .none, .base64, .form, .pipe: throw SystemError("write", number: EINVAL)
        }
    }
}
