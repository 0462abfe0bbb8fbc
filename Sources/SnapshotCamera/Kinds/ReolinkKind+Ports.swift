import SnapshotBase
import SnapshotHTTP
import SnapshotMedia

extension ReolinkKind {
    private static let timeout = Duration.milliseconds(500)
    private static let switchOn =
        "switch one of them on in its app or client: Settings, Network, Advanced, Port Settings or Server Settings"

    /// The hint for a Reolink whose port is closed: which of its other ports is open; nil where none is.
    func otherPorts(_ settings: CameraSettings) -> String? {
        guard let host = HostAndPort(shown, defaultPort: settings.useHTTPS ? 443 : 80) else { return nil }
        func answers(_ port: UInt16) -> Bool {
            guard Int(port) != host.port else { return false }
            do throws(HTTPFailure) {
                _ = try connect(to: host.name, port: port, timeout: Self.timeout, deadline: .after(Self.timeout))
            } catch {
                return false
            }
            return true
        }
        // A port in CAMERA_IP would also apply to the other protocol, so it has to go.
        let alone = HostAndPort(shown, defaultPort: 0) == nil ? "" : ", and CAMERA_IP without a port"
        if !settings.useHTTPS, answers(443) { return "port 443 answers: set CAMERA_USE_HTTPS=true\(alone)" }
        if settings.useHTTPS, answers(80) { return "port 80 answers: set CAMERA_USE_HTTPS=false\(alone)" }
        return answers(9000) ? "port 9000 answers: it is a Reolink with HTTP and HTTPS off; \(Self.switchOn)" : nil
    }
}
