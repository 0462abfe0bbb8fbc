import SnapshotBase

/// What `snapshot-web` is told by settings and environment.
package struct WebOptions: Sendable {
    package var statePath: String
    /// Seconds between captures, where the settings say; the state knows otherwise.
    package var interval: Double?
    /// Where to listen when no socket is inherited; 0 takes any free port.
    package var port: Int
    /// Whether pictures, live view and recordings are shown at all.
    package var showsPictures: Bool
    /// Asked for before any picture, where set.
    package var token: String?
    /// The relay's folder, with `hls` and `record`.
    package var outputDirectory: String
    /// Where `latest.jpg` may lie, best first.
    package var runtimeDirectories: [String]

    package init(_ settings: Settings, environment: [String: String]) throws(Failure) {
        func directories(_ name: String) -> [String] {
            (environment[name] ?? "").split(separator: ":").map(String.init)
        }
        // Under systemd paths begin where the service keeps its state, not where this process happens to be.
        let service = directories("STATE_DIRECTORY").first
        func place(_ path: String) -> String { path.hasPrefix("/") ? path : (service ?? ".") + "/" + path }
        statePath = try settings.path(.statePath).map(place) ?? service ?? "./state"
        interval =
            try settings.duration(
                .captureInterval, default: nil, in: .milliseconds(1)...(.seconds(86400 * 366)))?
            .seconds
        port = try settings.integer(.healthCheckPort, default: 8080, in: 0...65535) ?? 8080
        showsPictures = try settings.bool(.webImages, default: false)
        token = try settings.string(.webToken)
        outputDirectory = place(try settings.path(.outputDirectory) ?? "stream_output")
        runtimeDirectories = directories("RUNTIME_DIRECTORY") + ["/run/snapshot"]
    }
}
