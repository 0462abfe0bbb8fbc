import Glibc
import SnapshotBase

/// The list of files that this program wrote into a folder: retention deletes the oldest of them without listing the
/// folder, and no others. A line is written before its file appears, and isn't synced: a picture whose line a power cut
/// loses is never deleted.
struct StoredLedger: Sendable {
    let statePath: String

    /// Pictures that were stored directly, without the spool, in the order of capture.
    var direct: StoredQueue { StoredQueue(path: statePath + "/stored.log") }
    /// Pictures that came later from the spool, or were found in the folder, in the order of capture.
    var late: StoredQueue { StoredQueue(path: statePath + "/stored-late.log") }

    /// A line that `takeBack` can remove again.
    struct Added {
        fileprivate let queue: StoredQueue
        fileprivate let begin: off_t
    }

    /// Adds a line for an object that is about to be written.
    /// - Parameter old: the size of the file that it replaces, in bytes; nil where there is none.
    func add(_ object: StoredObject, replacing old: Int?) throws(SystemError) -> Added {
        let queue = object.isLate ? late : direct
        if old != nil { try forgetEarlier(queue) }
        return Added(
            queue: queue,
            begin: try queue.add(
                key: object.key, bytes: object.content.length, time: object.capturedAt.milliseconds, replacing: old))
    }

    /// Versions up to 0.2.2 didn't note replacements: before the first is noted, keep the last line of each key only.
    private func forgetEarlier(_ queue: StoredQueue) throws(SystemError) {
        guard let log = try queue.open() else { return }
        var head = try queue.count(log)
        guard head.replacing == 0, head.lines > 0 else { return }
        try queue.keepLast(log, &head)
        queue.write(head)
    }

    /// Removes the line that was added last, as its file was never written.
    func takeBack(_ added: Added) { added.queue.takeBack(added.begin) }

    /// Whether this state has never stored anything.
    var isEmpty: Bool { [direct, late].allSatisfy { fileStatus($0.path) == nil } }

    /// Deletes the lists, as another folder is in use.
    func clear() {
        for name in ["stored.log", "stored.head", "stored-late.log", "stored-late.head", FolderSearch.fileName] {
            removeFile(statePath + "/" + name)
        }
    }

    /// Without retention settings: removes lines of replaced files, or of a long log's oldest files once they are gone.
    func tidy(_ settings: FilesystemSettings, replaced: Bool) throws(SystemError) {
        for queue in [direct, late] {
            guard let log = try queue.open() else { continue }
            guard replaced else {
                try queue.forgetGone(log, in: settings.path)
                continue
            }
            var head = try queue.count(log)
            try queue.tidy(log, &head)
            queue.write(head)
        }
    }
}
