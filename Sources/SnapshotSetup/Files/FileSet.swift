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

    /// Adds a file.
    /// - Parameters:
    ///   - bytes: nil to remove the file.
    ///   - group: of the file; its owner is this process's user.
    ///   - folderMode: of its folder, if that has to be created.
    mutating func put(
        _ bytes: [UInt8]?, at path: String, mode: mode_t = 0o644, group: gid_t = getegid(), folderMode: mode_t = 0o755,
        keepsOld: Bool = false
    ) {
        entries.append(
            Entry(path: path, bytes: bytes, mode: mode, group: group, folderMode: folderMode, keepsOld: keepsOld))
    }

    /// Writes the files; after a failure those already written are restored.
    /// - Returns: the paths of those that have changed.
    func write() throws(Failure) -> [String] {
        var done: [(entry: Entry, old: [UInt8]?)] = []
        do throws(Failure) {
            for entry in entries {
                let old = try Self.content(entry.path)
                if old == entry.bytes { continue }
                if entry.keepsOld, let old { try Self.write(old, entry, to: entry.path + ".bak") }
                done.append((entry, old))
                try Self.write(entry.bytes, entry, to: entry.path)
            }
        } catch {
            for (entry, old) in done.reversed() { try? Self.write(old, entry, to: entry.path) }
            throw error
        }
        return done.map(\.entry.path)
    }

    private static func content(_ path: String) throws(Failure) -> [UInt8]? {
        do throws(SystemError) { return try readFile(path, limit: 1 << 20) } catch {
            if error.number == ENOENT || error.number == ENOTDIR { return nil }
            throw Self.failure("cannot read", path, error)
        }
    }

    private static func write(_ bytes: [UInt8]?, _ entry: Entry, to path: String) throws(Failure) {
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
