import Glibc
import SnapshotBase

/// The files that this program wrote into a folder, in two lists. Retention deletes the oldest of them and no other
/// file, without reading the folder. A line is written before its file appears, and isn't synced: a picture whose line
/// a power cut loses is never deleted.
struct StoredLedger: Sendable {
    let statePath: String

    /// Pictures that were stored directly, without the spool, in the order of capture.
    var direct: StoredList { StoredList(path: statePath + "/stored.log") }
    /// Pictures that came later from the spool, or were found in the folder, in the order of capture.
    var late: StoredList { StoredList(path: statePath + "/stored-late.log") }

    /// A line that `takeBack` can remove again.
    struct Added {
        fileprivate let list: StoredList
        fileprivate let begin: off_t
    }

    /// Adds a line for an object that is about to be written.
    /// - Parameter old: the size of the file that it replaces, in bytes; nil where there is none.
    func add(_ object: StoredObject, replacing old: Int?) throws(SystemError) -> Added {
        let list = object.isLate ? late : direct
        if old != nil { try forgetEarlier(list) }
        return Added(
            list: list,
            begin: try list.add(
                key: object.key, bytes: object.content.length, time: object.capturedAt.milliseconds, replacing: old))
    }

    /// Versions up to 0.2.2 didn't note replacements: before the first is noted, keep the last line of each key only.
    private func forgetEarlier(_ list: StoredList) throws(SystemError) {
        guard let log = try list.open() else { return }
        var head = try list.count(log)
        guard head.replacing == 0, head.lines > 0 else { return }
        try list.keepLast(log, &head)
        list.write(head)
    }

    /// Removes the line that was added last, as its file was never written.
    func takeBack(_ added: Added) { added.list.takeBack(added.begin) }

    /// Whether there is no list.
    var isEmpty: Bool { [direct, late].allSatisfy { fileStatus($0.path) == nil } }

    /// Deletes the lists, as another folder is in use.
    func clear() {
        for name in ["stored.log", "stored.head", "stored-late.log", "stored-late.head", FolderSearch.fileName] {
            removeFile(statePath + "/" + name)
        }
    }

    /// Without retention settings: removes lines of replaced files if `replaced`, else of old files that are gone.
    func tidy(_ settings: FilesystemSettings, replaced: Bool) throws(SystemError) {
        for list in [direct, late] {
            guard let log = try list.open() else { continue }
            guard replaced else {
                try list.forgetGone(log, in: settings.path)
                continue
            }
            var head = try list.count(log)
            try list.tidy(log, &head)
            list.write(head)
        }
    }
}
