import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// A stream over RTSP; a picture is one key frame of it.
struct RTSPKind: CameraKind {
    static let forms = ["rtsp://…", "rtsps://…"]
    private let address: CameraURL

    init?(_ address: CameraAddress) throws(Failure) {
        guard let url = try address.url(["rtsp", "rtsps"]) else { return nil }
        self.address = url
    }

    var name: String { "a stream over RTSP" }
    var shown: String { address.shown }
    var secretAddress: String { address.url }
    var userInfo: (user: String, password: String?)? { address.userInfo }
    var needsFFmpeg: Bool { true }
    var trial: CameraTrial { .picture }

    func identity(_ settings: CameraSettings) -> String { "rtsp \(address.shown)" }
    func tlsHost(_ settings: CameraSettings) -> HostAndPort? { address.tlsHost }
    func streams(_ camera: CameraSettings, _ settings: Settings) -> [String] { [address.url] }

    func hint(_ failure: HintedFailure, _ settings: CameraSettings) -> String? {
        switch failure {
        case .unresolved, .unreachable, .portClosed, .invalid, .slow: CameraURL.hint(failure)
        case .streamRedirect: "set CAMERA_URL to the stream's final address"
        case .noStream: "check CAMERA_URL; ffplay or VLC should show the same stream"
        case .plainPort: "if that port speaks plain RTSP, set CAMERA_URL to rtsp://"
        case .unanswered, .empty, .page, .redirect, .notFound: nil
        }
    }

    func camera(_ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log) -> any Camera {
        FFmpegCamera(settings: settings, input: .stream(url: address.url), trust: trust)
    }
}
