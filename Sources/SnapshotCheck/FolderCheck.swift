import SnapshotBase
import SnapshotState
import SnapshotStore

extension CheckPlan {
    /// Accepts the folder without its disk (`--accept-folder`), since the user says that no disk belongs there any
    /// more.
    func acceptFolder(_ now: Now) -> Finding {
        let subject = "folder"
        guard case .folder(let settings)? = store?.trial else {
            return .skipped(subject, "none accepted: pictures don't go into a folder")
        }
        let work = FolderWork(settings, statePath: statePath)
        let key = settings.template.key(camera: settings.camera, at: now.wall)
        do throws(SystemError) {
            guard let mount = try work.accept(key, now: now.wall) else {
                return .skipped(subject, "nothing to accept: no disk is missing at \(settings.path)")
            }
            return .passed(subject, "\(settings.path) is used as it is, without a disk at \(mount)")
        } catch {
            return .failed(subject, FilesystemStore.failure(error, path: settings.path).failure)
        }
    }
}
