import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotSettings
import SnapshotStore

/// The camera or the store of settings that needn't be written yet, tried by the very steps of `snapshot check`. It wants a
/// process of its own: root's rights have to be given up first.
package enum Trial: Sendable {
    case camera, store

    /// However long they take, findings are there by then.
    package static let longest = Duration.seconds(18)

    /// - Parameter statePath: where pins and what is known of a folder's disk lie.
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
                    client: HTTPClient(stop: settings.context.stop), deadline: .after(timeout))
                return check.run(store).findings
            }
        } catch { return [.failed("settings", error)] }
    }
}
