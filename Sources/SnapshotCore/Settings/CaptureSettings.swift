import Glibc
import SnapshotBase

/// Everything that one shot needs to know, checked before anything is touched.
package struct CaptureSettings: Sendable {
    package var camera: CameraSettings
    package var store: StoreSettings
    package var keyTemplate: KeyTemplate
    package var interval: Duration
    /// Whether `--every` set it.
    package var isRepeating: Bool
    package var uploadAttempts: Int
    package var uploadDeadline: Duration
    package var spoolMaxBytes: Int
    package var spoolMinFree: Int
    package var statePath: String
    package var frozenAfter: Int
    package var pingURL: String?
    /// systemd's RUNTIME_DIRECTORY, in RAM: for the mark of a run under way, and for `latest.jpg`, which the live page shows.
    package var runtimeDirectory: String?
    package var showsPictures: Bool

    /// - Parameter interval: what `--every` says, before CAPTURE_INTERVAL.
    package init(_ settings: Settings, interval: Duration? = nil) throws(Failure) {
        camera = try CameraSettings(settings)
        store = try StoreSettings(settings)
        keyTemplate = try KeyTemplate(settings)
        isRepeating = interval != nil
        let configured = try captureInterval(settings)
        self.interval = interval ?? configured
        uploadAttempts = try settings.integer(.uploadAttempts, default: 3, in: 1...100) ?? 3
        let fallback = max(.seconds(5), self.interval * 8 / 10)
        uploadDeadline =
            try settings.duration(
                .uploadDeadline, default: fallback, in: .milliseconds(100)...(.seconds(86400)))
            ?? fallback
        spoolMaxBytes = try settings.size(.spoolMaxBytes, default: 256 << 20) ?? 256 << 20
        spoolMinFree = try settings.size(.spoolMinFree, default: 64 << 20) ?? 64 << 20
        statePath = try stateDirectory(settings)
        frozenAfter = try settings.integer(.frozenAfter, default: 12, in: 0...1_000_000) ?? 12
        pingURL = try settings.url(.pingURL, schemes: ["http", "https"])
        showsPictures = try settings.bool(.webImages, default: false)
        runtimeDirectory = getenv("RUNTIME_DIRECTORY").map { firstDirectory(String(cString: $0)) }
    }
}

package func captureInterval(_ settings: Settings) throws(Failure) -> Duration {
    try settings.duration(.captureInterval, default: .seconds(10), in: .seconds(1)...(.seconds(86400 * 7)))
        ?? .seconds(10)
}

/// `STATE_PATH`, else systemd's `STATE_DIRECTORY`, else `./state`.
package func stateDirectory(_ settings: Settings) throws(Failure) -> String {
    if let path = try settings.path(.statePath) { return path }
    if let path = getenv("STATE_DIRECTORY"), path.pointee != 0 {
        return firstDirectory(String(cString: path))
    }
    return "./state"
}

/// systemd puts several directories into one variable, with colons between.
private func firstDirectory(_ list: String) -> String {
    String(list.prefix { $0 != ":" })
}
