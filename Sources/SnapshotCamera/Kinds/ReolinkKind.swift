import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// A Reolink camera, NVR or hub at CAMERA_IP, over Reolink's HTTP API.
struct ReolinkKind: CameraKind {
    static let forms: [String] = []
    /// The host in URL form, with the port if one was given.
    private let host: String

    init?(_ address: CameraAddress) throws(Failure) {
        guard !address.isURL else { return nil }
        guard let host = urlHost(address.text) else {
            throw address.refusal(
                "must be a host, host:port or [IPv6]:port, without http://",
                hint: address.text.contains("://")
                    ? "for other cameras set CAMERA_URL" : unexpandedFlaw(in: address.text)?.hint)
        }
        self.host = host
    }

    var name: String { "a Reolink" }
    var shown: String { host }
    var secretAddress: String { "" }
    var userInfo: (user: String, password: String?)? { nil }
    var needsFFmpeg: Bool { false }
    var trial: CameraTrial { .reolink(host: host) }

    func identity(_ settings: CameraSettings) -> String {
        "reolink \(settings.useHTTPS ? "https" : "http") \(host) \(settings.username)"
    }

    func tlsHost(_ settings: CameraSettings) -> HostAndPort? {
        settings.useHTTPS ? HostAndPort(host, defaultPort: 443) : nil
    }

    /// The stream paths contain the codec, which isn't known before asking; newer models have one path for both.
    func streams(_ camera: CameraSettings, _ settings: Settings) throws(Failure) -> [String] {
        let port = try settings[Key.cameraRTSPPort]
        let stream = try settings[Key.streamSource]
        let number = (camera.channel + 1).padded(2)
        let colon = host.hasSuffix("]") ? nil : host.lastIndex(of: ":")
        return ["h264Preview", "h265Preview", "Preview"].map { name in
            "rtsp://\(host[..<(colon ?? host.endIndex)]):\(port)/\(name)_\(number)_\(stream.rawValue)"
        }
    }

    func hint(_ failure: HintedFailure, _ settings: CameraSettings) -> String? {
        switch failure {
        case .unresolved, .unreachable, .invalid: CameraURL.hint(failure, setting: "CAMERA_IP")
        case .portClosed(let name): otherPorts(settings) ?? hint(.unreachable(protocol: name), settings)
        case .plainPort: "if that port speaks plain HTTP, set CAMERA_USE_HTTPS=false"
        case .unanswered: settings.useHTTPS ? nil : "if that port speaks TLS, set CAMERA_USE_HTTPS=true"
        case .slow: "CAMERA_STREAM=sub is quicker; on a slow network raise CAMERA_TIMEOUT"
        case .empty: "some firmware sends nothing unless CAMERA_WIDTH and CAMERA_HEIGHT are set"
        case .page: "is CAMERA_IP the camera's address? --verbose shows what it sent"
        case .redirect:
            settings.useHTTPS
                ? "set CAMERA_URL to the picture's final address" : "it may want HTTPS: set CAMERA_USE_HTTPS=true"
        case .notFound:
            "some firmware answers 404 unless CAMERA_WIDTH and CAMERA_HEIGHT are set; other cameras need CAMERA_URL"
        case .streamRedirect: nil
        case .noStream: "check CAMERA_CHANNEL and STREAM_SOURCE"
        }
    }

    func camera(_ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log) -> any Camera {
        ReolinkCamera(settings: settings, host: host, client: client, trust: trust, log: log)
    }
}
