import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotSettings
import SnapshotStore

/// Tries a camera or a store by the steps of `snapshot check`, for settings that aren't written to a file yet. Run it
/// in a process of its own, after root's rights have been given up; for a camera at this machine root may keep them.
package enum Trial: Sendable {
    case camera, store

    /// `run` returns within this time.
    package static let longest = Duration.seconds(18)

    /// - Parameter statePath: the state directory, with the pins and the remembered disk of the folder for pictures.
    package func run(_ settings: Settings, statePath: String, log: Log) -> [Finding] {
        do throws(Failure) {
            switch self {
            case .camera:
                let camera = try CameraSettings(settings)
                return CameraCheck(settings: camera, statePath: statePath, log: log).run().findings
            case .store:
                let store = try StoreKinds.read(settings)
                let timeout = Duration.seconds(store.folder == nil ? 14 : 4)
                let check = StoreCheck(
                    statePath: statePath, now: settings.context.clock.now(),
                    client: HTTPClient(settings.context), deadline: .after(timeout))
                return check.run(store).findings
            }
        } catch { return [.failed("settings", error)] }
    }
}
