import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// A still picture over HTTP.
struct HTTPKind: CameraKind {
    static let forms = ["http://…", "https://…"]
    /// Without user and password.
    private let url: String
    let login: (user: String, password: String?)?

    init?(_ address: CameraAddress) throws(Failure) {
        guard let parts = try address.url(["http", "https"]) else { return nil }
        url = parts.withoutUser
        login = parts.user.map { ($0, parts.password) }
    }

    var name: String { "a still picture over HTTP" }
    var shown: String { redactedURL(url) }
    var hidden: String { url }
    var needsFFmpeg: Bool { false }
    var trial: CameraTrial { .picture }

    func place(_ settings: CameraSettings) -> String { "http \(redactedURL(url))" }
    func tlsHost(_ settings: CameraSettings) -> TLSHost? { TLSHost(url: url) }
    func streams(_ camera: CameraSettings, _ settings: Settings) -> [String] { [] }

    func hint(_ trouble: CameraTrouble, _ settings: CameraSettings) -> String? {
        switch trouble {
        case .unresolved: "check CAMERA_URL, or use the camera's address instead of its name"
        case .unreachable(let name), .portClosed(let name):
            "is it on, is CAMERA_URL right, and its \(name) port enabled?"
        case .plainPort: "if that port speaks plain HTTP, set CAMERA_URL to http://"
        case .unanswered: TLSHost(url: url) == nil ? "if that port speaks TLS, set CAMERA_URL to https://" : nil
        case .invalid: "check CAMERA_URL"
        case .slow: "on slow paths raise CAMERA_TIMEOUT"
        case .page: "CAMERA_URL must be the address of the picture itself; --verbose shows what came"
        case .redirect:
            "set CAMERA_URL to the picture's final address; CAMERA_FOLLOW=same-host follows on its own host"
        case .notFound: "check CAMERA_URL; a browser should show the picture there"
        case .empty, .streamRedirect, .noStream: nil
        }
    }

    func camera(_ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log) -> any Camera {
        HTTPCamera(settings: settings, url: url, client: client, trust: trust)
    }
}
