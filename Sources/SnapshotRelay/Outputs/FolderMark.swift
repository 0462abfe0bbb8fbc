import SnapshotBase
import SnapshotStore

/// What a relay remembers of where an output's folder lies: `STATE_PATH/folder.<mode>.json`.
struct FolderMark: Sendable {
    let statePath: String
    let mode: String

    private var name: String { "folder.\(mode).json" }
    private var memory: FolderMemory? { FolderMemory(reading: statePath, name) }

    /// The mount point below which the folder belongs, but whose disk isn't there. May hang.
    func missingMount(on path: String) throws(SystemError) -> String? {
        var memory = memory
        // Who has accepted that pictures lie without a disk there has done so for video, too.
        if let accepted = FolderMemory(reading: statePath)?.accepted {
            memory = memory ?? FolderMemory()
            memory?.accepted = accepted
            if memory?.mount == accepted { memory?.mount = nil }
        }
        return try FolderPlace(path).missingMount(memory)
    }

    /// Notes the mount point that the folder lies below now.
    func note(_ path: String) {
        var new = FolderMemory()
        new.path = absolutePath(path)
        do throws(SystemError) { new.mount = try FolderPlace(path).mountPoint() } catch { return }
        let had = memory
        guard new != had, had != nil || new.mount != nil else { return }
        try? new.write(to: statePath, name)
    }
}
