import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// A picture in a file that another program writes.
struct FileKind: CameraKind {
    static let forms = ["file:PATH"]
    private let path: String
    /// The path with percent-encoding resolved.
    private let decoded: String

    init?(_ address: CameraAddress) throws(Failure) {
        guard var path = address.rest(after: "file") else { return nil }
        if path.hasPrefix("//") { path = String(path.dropFirst(path.hasPrefix("//localhost/") ? 11 : 2)) }
        guard let decoded = percentDecoded(path), !decoded.isEmpty else { throw address.refusal() }
        // The file system may hang, so it is asked only where the path looks wrong.
        if let flaw = unexpandedFlaw(in: path) ?? privateTmpFlaw(inPath: decoded), !fileExists(decoded) {
            throw address.refusal(flaw.rule, hint: flaw.hint)
        }
        (self.path, self.decoded) = (path, decoded)
    }

    var name: String { "a file" }
    var shown: String { decoded }
    var secretAddress: String { "" }
    var userInfo: (user: String, password: String?)? { nil }
    var needsFFmpeg: Bool { false }
    var trial: CameraTrial { .picture }

    func identity(_ settings: CameraSettings) -> String { "file \(decoded)" }
    func tlsHost(_ settings: CameraSettings) -> HostAndPort? { nil }
    func streams(_ camera: CameraSettings, _ settings: Settings) -> [String] { [] }

    func hint(_ failure: HintedFailure, _ settings: CameraSettings) -> String? {
        switch failure {
        case .page: "CAMERA_URL must be the path of the picture itself; --verbose shows what is in it"
        case .unresolved, .unreachable, .portClosed, .plainPort, .unanswered, .invalid, .slow, .empty, .redirect,
            .notFound, .streamRedirect, .noStream:
            nil
        }
    }

    func camera(_ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log) -> any Camera {
        FileCamera(
            paths: path == decoded ? [path] : [path, decoded], maxBytes: settings.maxBytes, statePath: trust.statePath,
            context: settings.context)
    }
}
