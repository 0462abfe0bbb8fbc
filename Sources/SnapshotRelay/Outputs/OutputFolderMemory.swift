import SnapshotBase
import SnapshotStore

/// The remembered mount point of an output's folder, `STATE_PATH/folder.<mode>.json`.
struct OutputFolderMemory: Sendable {
    let statePath: String
    let mode: String

    private var name: String { "folder.\(mode).json" }
    private var memory: FolderMemory? { FolderMemory(reading: statePath, name) }

    /// The remembered mount point of the folder, where no disk is mounted there now; nil where all is well. May hang.
    func missingMount(on path: String) throws(SystemError) -> String? {
        var memory = memory
        // `snapshot check --accept-folder` for pictures also holds for video in the same folder.
        if let accepted = FolderMemory(reading: statePath)?.accepted {
            memory = memory ?? FolderMemory()
            memory?.accepted = accepted
            if memory?.mount == accepted { memory?.mount = nil }
        }
        return try FolderLocation(path).missingMount(memory)
    }

    /// Stores the folder's present mount point. An error is ignored: a missing disk isn't noticed then.
    func rememberMount(of path: String) {
        var new = FolderMemory()
        new.path = absolutePath(path)
        do throws(SystemError) { new.mount = try FolderLocation(path).mountPoint() } catch { return }
        let had = memory
        guard new != had, had != nil || new.mount != nil else { return }
        try? new.write(to: statePath, name)
    }
}
