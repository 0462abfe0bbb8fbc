import Glibc
import SnapshotBase

/// What this program wrote into a folder. It lets retention delete the oldest without listing the folder, and nothing that
/// somebody else put there.
///
/// Two lists, each in the order of capture: `STATE_PATH/stored.log` of what was stored at once, and `stored-late.log` of
/// what came later, from the spool, or was found in the folder. The oldest picture is the first of one of them.
///
/// A line is written before its file appears and isn't synced by itself: one that a power cut takes leaves a picture
/// that retention doesn't know, never one that it deletes wrongly.
struct StoredLedger: Sendable {
    let statePath: String

    var prompt: StoredQueue { StoredQueue(path: statePath + "/stored.log") }
    var late: StoredQueue { StoredQueue(path: statePath + "/stored-late.log") }

    /// A line that can be taken back.
    struct Added {
        fileprivate let queue: StoredQueue
        fileprivate let begin: off_t
    }

    /// - Parameter old: the size of the file of ours that this one takes the place of.
    func add(_ object: StoredObject, replacing old: Int?) throws(SystemError) -> Added {
        let queue = object.isLate ? late : prompt
        if old != nil { try forgetEarlier(queue) }
        return Added(
            queue: queue,
            begin: try queue.add(
                key: object.key, bytes: object.content.length, time: object.capturedAt.milliseconds, replacing: old))
    }

    /// Versions up to 0.2.2 didn't note that a file took another's place: before the first that does, only the last line
    /// of each key is kept.
    private func forgetEarlier(_ queue: StoredQueue) throws(SystemError) {
        guard let log = try queue.open() else { return }
        var head = try queue.count(log)
        guard head.replacing == 0, head.lines > 0 else { return }
        try queue.keepLast(log, &head)
        queue.write(head)
    }

    /// Forgets the line that was added last: its file never appeared.
    func takeBack(_ added: Added) { added.queue.takeBack(added.begin) }

    /// Whether anything was ever stored by this state.
    var isEmpty: Bool { [prompt, late].allSatisfy { fileStatus($0.path) == nil } }

    /// Forgets everything: another folder is in use.
    func clear() {
        for name in ["stored.log", "stored.head", "stored-late.log", "stored-late.head", Adoption.fileName] {
            removeFile(statePath + "/" + name)
        }
    }

    /// Takes out what a file that was overwritten left, where nothing bounds the folder.
    func tidy(_ settings: FilesystemSettings, replaced: Bool) throws(SystemError) {
        for queue in [prompt, late] {
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
