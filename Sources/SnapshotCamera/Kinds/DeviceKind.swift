import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// A video device of this machine.
struct DeviceKind: CameraKind {
    static let forms = ["v4l2:/dev/…"]
    private let path: String

    init?(_ address: CameraAddress) throws(Failure) {
        guard let path = address.rest(after: "v4l2") else { return nil }
        guard path.hasPrefix("/dev/") else { throw address.refusal() }
        self.path = path
    }

    var name: String { "a video device" }
    var shown: String { path }
    var secretAddress: String { "" }
    var userInfo: (user: String, password: String?)? { nil }
    var needsFFmpeg: Bool { true }
    var trial: CameraTrial { .picture }

    func identity(_ settings: CameraSettings) -> String { "v4l2 \(path)" }
    func tlsHost(_ settings: CameraSettings) -> HostAndPort? { nil }
    func streams(_ camera: CameraSettings, _ settings: Settings) -> [String] { [] }

    func hint(_ failure: HintedFailure, _ settings: CameraSettings) -> String? {
        switch failure {
        case .slow: "raise CAMERA_TIMEOUT if the device is slow to start"
        case .noStream: "check CAMERA_URL; ffplay should show the same device"
        case .unresolved, .unreachable, .portClosed, .plainPort, .unanswered, .invalid, .empty, .page, .redirect,
            .notFound, .streamRedirect:
            nil
        }
    }

    func camera(_ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log) -> any Camera {
        FFmpegCamera(settings: settings, input: .device(path: path), trust: trust)
    }
}
