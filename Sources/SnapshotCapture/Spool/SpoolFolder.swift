import Glibc
import SnapshotBase
import SnapshotHTTP

/// The files of a spool: one per entry, in one folder per thousand numbers, below `STATE_PATH/spool`, whose descriptor
/// stays open. This part opens folders and reads; `SpoolFolder+Changes.swift`, for `Spool` alone, changes entries.
package struct SpoolFolder: Sendable {
    package let path: String
    private var folder: Folder?
    /// The folder of entries that was used last.
    private var entries: (name: String, folder: Folder)?

    package init(statePath: String) { path = statePath + "/spool" }

    /// The spool's folder; nil where there is none yet.
    mutating func opened() throws(SystemError) -> Folder? {
        if folder == nil {
            do throws(SystemError) { folder = try Folder(path) } catch {
                guard error.number == ENOENT else { throw error }
            }
        }
        return folder
    }

    /// The spool's folder, created if need be.
    mutating func made() throws(SystemError) -> Folder {
        if let folder = try opened() { return folder }
        let new = try Folder(path, creating: 0o700)
        folder = new
        return new
    }

    /// A folder of entries; nil where it doesn't exist.
    mutating func entryFolder(_ name: String) throws(SystemError) -> Folder? {
        if let entries, entries.name == name { return entries.folder }
        do throws(SystemError) {
            guard let folder = try opened()?.folder(name) else { return nil }
            entries = (name, folder)
            return folder
        } catch {
            guard error.number == ENOENT else { throw error }
            return nil
        }
    }

    mutating func madeEntryFolder(_ name: String) throws(SystemError) -> Folder {
        if let folder = try entryFolder(name) { return folder }
        let folder = try made().folder(name, creating: 0o700)
        entries = (name, folder)
        return folder
    }

    /// Removes a folder of entries if it is empty.
    mutating func removeIfEmpty(_ name: String) {
        if (try? opened())?.removeFolder(name) == true { entries = nil }
    }

    // MARK: Reading

    /// Every entry, oldest first. Lists all folders: slow in a large spool.
    package mutating func list() throws(SystemError) -> [SpoolName] {
        var all: [SpoolName] = []
        for folder in try folders() { all += try names(in: folder) }
        return all
    }

    /// The oldest entries with numbers above `number`, from one folder only: fast, however large the spool is.
    package mutating func oldest(after number: Int = -1) throws(SystemError) -> [SpoolName] {
        for folder in try folders() {
            let found = try names(in: folder).filter { $0.number > number }
            if !found.isEmpty { return found }
        }
        return []
    }

    private mutating func folders() throws(SystemError) -> [String] {
        let names = try opened()?.names() ?? []
        return names.filter { $0.utf8.count == 12 && $0.utf8.allSatisfy { (48...57).contains($0) } }.sorted()
    }

    /// Empty where the folder doesn't exist. A folder that can't be read throws: what it holds is unknown.
    private mutating func names(in folder: String) throws(SystemError) -> [SpoolName] {
        let names = try entryFolder(folder)?.names() ?? []
        return names.compactMap(SpoolName.init).filter { $0.folder == folder }.sorted()
    }

    /// An entry and the open file with its picture, which begins at offset 0; nil where it is gone or damaged.
    /// - Throws: where it can't be read now, which says nothing about its content.
    mutating func open(_ name: SpoolName) throws(SystemError) -> (entry: SpoolEntry, file: FileHandle)? {
        do throws(SystemError) {
            guard let file = try entryFolder(name.folder)?.open(name.text, O_RDONLY) else { return nil }
            guard lseek(file.descriptor, off_t(name.bytes), SEEK_SET) >= 0 else { throw SystemError("lseek") }
            let line = try file.readAll(limit: SpoolEntry.longestLine)
            guard let entry = SpoolEntry(line: line), entry.length == name.bytes else { return nil }
            return (entry, file)
        } catch {
            if error.number == ENOENT { return nil }
            throw error
        }
    }

    /// An entry and its open file, as from `open`; nil also where the picture has another SHA-256 than the entry says.
    mutating func openIntact(_ name: SpoolName) throws(SystemError) -> (entry: SpoolEntry, file: FileHandle)? {
        guard let found = try open(name) else { return nil }
        guard let digest = Crypto.sha256(of: found.file.descriptor, offset: 0, length: found.entry.length) else {
            throw SystemError("read", number: EIO)
        }
        return hexadecimal(digest) == found.entry.sha256 ? found : nil
    }
}
