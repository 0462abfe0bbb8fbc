import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// A still picture over HTTP.
struct HTTPKind: CameraKind {
    static let forms = ["http://…", "https://…"]
    private let address: CameraURL

    init?(_ address: CameraAddress) throws(Failure) {
        guard let url = try address.url(["http", "https"]) else { return nil }
        self.address = url
    }

    var name: String { "a still picture over HTTP" }
    var shown: String { address.shown }
    var secretAddress: String { address.url }
    var userInfo: (user: String, password: String?)? { address.userInfo }
    var needsFFmpeg: Bool { false }
    var trial: CameraTrial { .picture }

    func identity(_ settings: CameraSettings) -> String { "http \(address.shown)" }
    func tlsHost(_ settings: CameraSettings) -> HostAndPort? { address.tlsHost }
    func streams(_ camera: CameraSettings, _ settings: Settings) -> [String] { [] }

    func hint(_ failure: HintedFailure, _ settings: CameraSettings) -> String? {
        switch failure {
        case .unresolved, .unreachable, .portClosed, .invalid, .slow: CameraURL.hint(failure)
        case .plainPort: "if that port speaks plain HTTP, set CAMERA_URL to http://"
        case .unanswered: address.tlsHost == nil ? "if that port speaks TLS, set CAMERA_URL to https://" : nil
        case .page: "CAMERA_URL must be the address of the picture itself; --verbose shows what the server sent"
        case .redirect:
            "set CAMERA_URL to the picture's final address; CAMERA_FOLLOW=same-host follows on its own host"
        case .notFound: "check CAMERA_URL; a browser should show the picture there"
        case .empty, .streamRedirect, .noStream: nil
        }
    }

    func camera(_ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log) -> any Camera {
        HTTPCamera(settings: settings, url: address.url, client: client, trust: trust)
    }
}
