import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// A stream over RTSP, of which a still is one key frame.
struct RTSPKind: CameraKind {
    static let forms = ["rtsp://…", "rtsps://…"]
    /// Without user and password.
    private let url: String
    let login: (user: String, password: String?)?

    init?(_ address: CameraAddress) throws(Failure) {
        guard let parts = try address.url(["rtsp", "rtsps"]) else { return nil }
        url = parts.withoutUser
        login = parts.user.map { ($0, parts.password) }
    }

    var name: String { "a stream over RTSP" }
    var shown: String { redactedURL(url) }
    var hidden: String { url }
    var needsFFmpeg: Bool { true }
    var trial: CameraTrial { .picture }

    func place(_ settings: CameraSettings) -> String { "rtsp \(redactedURL(url))" }
    func tlsHost(_ settings: CameraSettings) -> TLSHost? { TLSHost(url: url) }
    func streams(_ camera: CameraSettings, _ settings: Settings) -> [String] { [url] }

    func hint(_ trouble: CameraTrouble, _ settings: CameraSettings) -> String? {
        switch trouble {
        case .unresolved: "check CAMERA_URL, or use the camera's address instead of its name"
        case .unreachable(let name), .portClosed(let name):
            "is it on, is CAMERA_URL right, and its \(name) port enabled?"
        case .invalid: "check CAMERA_URL"
        case .slow: "on slow paths raise CAMERA_TIMEOUT"
        case .streamRedirect: "set CAMERA_URL to the stream's final address"
        case .noStream: "check CAMERA_URL; ffplay or VLC should show the same stream"
        case .plainPort: "if that port speaks plain RTSP, set CAMERA_URL to rtsp://"
        case .unanswered, .empty, .page, .redirect, .notFound: nil
        }
    }

    func camera(_ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log) -> any Camera {
        FFmpegCamera(settings: settings, input: .stream(url: url), trust: trust)
    }
}
