import Glibc
import SnapshotBase
import SnapshotHTTP

/// The files of a spool: an entry each, in a folder for each thousand numbers, below one folder that stays open. Reads
/// alone; what changes the files is `Spool`'s.
package struct SpoolFolder: Sendable {
    package let path: String
    private var folder: Folder?
    /// The last folder of entries that was used.
    private var entries: (name: String, folder: Folder)?

    package init(statePath: String) { path = statePath + "/spool" }

    /// nil where there is none yet.
    mutating func opened() throws(SystemError) -> Folder? {
        if folder == nil {
            do throws(SystemError) { folder = try Folder(path) } catch {
                guard error.number == ENOENT else { throw error }
            }
        }
        return folder
    }

    mutating func made() throws(SystemError) -> Folder {
        if let folder = try opened() { return folder }
        let new = try Folder(path, creating: 0o700)
        folder = new
        return new
    }

    /// A folder of entries; nil where there is none.
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

    /// Removes a folder of entries, if it is empty.
    mutating func leave(_ name: String) {
        if (try? opened())?.removeFolder(name) == true { entries = nil }
    }

    // MARK: What is there

    /// Every entry, oldest first, by listing: slow in a large spool.
    package mutating func list() throws(SystemError) -> [SpoolName] {
        var all: [SpoolName] = []
        for folder in try folders() { all += try names(in: folder) }
        return all
    }

    /// The oldest entries with numbers above `number`, those of one folder at most: cheap.
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

    /// None where there is no such folder; one that can't be read tells nothing about what is in it.
    private mutating func names(in folder: String) throws(SystemError) -> [SpoolName] {
        let names = try entryFolder(folder)?.names() ?? []
        return names.compactMap(SpoolName.init).filter { $0.folder == folder }.sorted()
    }

    /// An entry and the open file with its picture; nil where the file is gone or was never whole.
    /// - Throws: where it can't be read now, which tells nothing about what is in it.
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

    /// The same, if the picture's bytes still are those that were captured.
    mutating func openIntact(_ name: SpoolName) throws(SystemError) -> (entry: SpoolEntry, file: FileHandle)? {
        guard let found = try open(name) else { return nil }
        guard let digest = Crypto.sha256(of: found.file.descriptor, offset: 0, length: found.entry.length) else {
            throw SystemError("read", number: EIO)
        }
        return hexadecimal(digest) == found.entry.sha256 ? found : nil
    }
}
