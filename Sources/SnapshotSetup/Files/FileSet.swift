import Glibc
import SnapshotBase

/// Files that are written together, all of them or none.
struct FileSet {
    struct Entry {
        let path: String
        /// nil to remove the file.
        let bytes: [UInt8]?
        let mode: mode_t
        let group: gid_t
        let folderMode: mode_t
        /// Whether the old file is kept beside it as `.bak`.
        let keepsOld: Bool
    }

    private var entries: [Entry] = []
    /// Files whose old content wasn't kept, since others can write in their folder.
    private(set) var unkept: [String] = []

    /// Adds a file, or its removal where `bytes` is nil. `folderMode` is that of its folder, if that has to be created.
    /// The file's owner is this process's user.
    mutating func put(
        _ bytes: [UInt8]?, at path: String, mode: mode_t = 0o644, group: gid_t = getegid(), folderMode: mode_t = 0o755,
        keepsOld: Bool = false
    ) {
        entries.append(
            Entry(path: path, bytes: bytes, mode: mode, group: group, folderMode: folderMode, keepsOld: keepsOld))
    }

    /// Adds an existing file that keeps its content and gets this mode.
    mutating func restrict(_ path: String, to mode: mode_t) throws(Failure) {
        if let bytes = try Self.content(path) { put(bytes, at: path, mode: mode) }
    }

    /// Writes the files; after a failure those already written are restored, and folders that were created are removed.
    /// - Returns: the paths of those that have changed.
    mutating func write() throws(Failure) -> [String] {
        var done: [(entry: Entry, old: [UInt8]?)] = []
        var made: [MissingFolders] = []
        var changed: [String] = []
        do throws(Failure) {
            for entry in entries {
                let old = try Self.content(entry.path)
                if old == entry.bytes, Self.isAsAsked(entry) { continue }
                made.append(MissingFolders(parentDirectory(entry.path)))
                if let kept = backup(of: old, entry) {
                    done.append((kept, try Self.content(kept.path)))
                    try Self.write(old, kept)
                }
                done.append((entry, old))
                try Self.write(entry.bytes, entry)
                changed.append(entry.path)
            }
        } catch {
            for (entry, old) in done.reversed() { try? Self.write(old, entry) }
            for folders in made.reversed() { folders.remove() }
            throw error
        }
        return changed
    }

    /// The file that keeps the old content; nil where none is to be kept, or others could exchange it.
    private mutating func backup(of old: [UInt8]?, _ entry: Entry) -> Entry? {
        guard entry.keepsOld, old != nil, old != entry.bytes else { return nil }
        guard (try? Folder(parentDirectory(entry.path)).handle.isWritableByOwnersOnly()) == true else {
            unkept.append(entry.path)
            return nil
        }
        return Entry(
            path: entry.path + ".bak", bytes: old, mode: entry.mode, group: entry.group, folderMode: entry.folderMode,
            keepsOld: false)
    }

    /// Whether the file has its mode, owner and group, or is missing as it should be. The group doesn't matter where it
    /// has the same rights as all other users.
    private static func isAsAsked(_ entry: Entry) -> Bool {
        guard entry.bytes != nil, let facts = fileStatus(entry.path), facts.st_mode & S_IFMT == S_IFREG else {
            return true
        }
        let hasGroup = entry.mode & 0o070 == (entry.mode & 0o007) << 3 || facts.st_gid == entry.group
        return facts.st_mode & 0o7777 == entry.mode && facts.st_uid == getuid() && hasGroup
    }

    private static func content(_ path: String) throws(Failure) -> [UInt8]? {
        do throws(SystemError) { return try readFile(path, limit: 1 << 20) } catch {
            if error.number == ENOENT || error.number == ENOTDIR { return nil }
            throw Self.failure("cannot read", path, error)
        }
    }

    private static func write(_ bytes: [UInt8]?, _ entry: Entry) throws(Failure) {
        let path = entry.path
        guard let bytes else {
            removeFile(path)
            return
        }
        do throws(SystemError) {
            try makeDirectory(parentDirectory(path), mode: entry.folderMode)
            try writeDurably(to: path, temporary: path + ".new", mode: 0o600) { file throws(SystemError) in
                guard entry.group == getegid() || fchown(file.descriptor, getuid(), entry.group) == 0,
                    fchmod(file.descriptor, entry.mode) == 0
                else { throw SystemError("chown") }
                try file.write(bytes)
            }
        } catch { throw failure("cannot write", path, error) }
    }

    private static func failure(_ what: String, _ path: String, _ error: SystemError) -> Failure {
        Failure(.own(.state), what, path, why: "\(error); nothing has been changed")
    }
}
