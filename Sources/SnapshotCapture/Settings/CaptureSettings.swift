import Glibc
import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotKeys
import SnapshotSettings
import SnapshotState
import SnapshotStore

/// All settings of one capture, checked before any request to the camera or store, and before the state is opened.
package struct CaptureSettings: Sendable {
    package var camera: CameraSettings
    package var storeKind: any StoreKind
    package var keyTemplate: KeyTemplate
    package var interval: Duration
    /// Whether `--every` set the interval.
    package var isRepeating: Bool
    package var uploadAttempts: Int
    package var uploadDeadline: Duration
    package var uploadTimeouts: UploadTimeouts
    /// In bytes per second; nil for no limit.
    package var uploadRate: Int?
    package var spoolBounds: Spool.Bounds
    package var statePath: String
    package var frozenAfter: Int
    package var pingURL: String?
    package var proxies: Proxies
    /// systemd's RUNTIME_DIRECTORY, in RAM: holds the marker of a run in progress, TLS sessions, and `latest.jpg` for
    /// the status page. nil outside systemd.
    package var runtimeDirectory: String?
    package var showsPictures: Bool
    package let context: ProcessContext

    /// Makes an HTTP client, which may serve several runs, with the TLS sessions that earlier processes saved.
    package func makeClient() -> HTTPClient {
        let sessions = TLSSessions(runtimeDirectory: runtimeDirectory, statePath: statePath, clock: context.clock)
        return HTTPClient(context, sessions: sessions, rate: uploadRate)
    }

    /// - Parameter interval: of `--every`; it takes precedence over CAPTURE_INTERVAL.
    /// - Throws: a failure of kind settings.
    package init(_ settings: Settings, interval: Duration? = nil) throws(Failure) {
        context = settings.context
        camera = try CameraSettings(settings)
        storeKind = try UnreadStore.readOrReplace(settings)
        keyTemplate = try KeyTemplate(settings)
        isRepeating = interval != nil
        let configured = try settings[Key.captureInterval]
        self.interval = interval ?? configured
        uploadAttempts = try settings[Key.uploadAttempts]
        uploadDeadline = try SnapshotStore.uploadDeadline(settings, interval: self.interval)
        uploadTimeouts = try SnapshotStore.uploadTimeouts(settings)
        uploadRate = try settings[Key.uploadRate]
        spoolBounds = Spool.Bounds(
            maxBytes: try settings[Key.spoolMaxBytes], minFree: try settings[Key.spoolMinFree],
            keep: try settings[Key.spoolKeep])
        statePath = try stateDirectory(settings)
        frozenAfter = try settings[Key.frozenAfter]
        pingURL = try settings[Key.pingURL]
        proxies = try Proxies(settings)
        showsPictures = try settings[Key.webImages]
        runtimeDirectory = settings.context.environment["RUNTIME_DIRECTORY"].map(firstDirectory)
    }
}
