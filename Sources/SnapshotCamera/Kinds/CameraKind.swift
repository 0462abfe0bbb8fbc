import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// All kinds of cameras. A new kind is a type that conforms to `CameraKind`, and a line here.
package enum CameraKinds {
    package static let all: [any CameraKind.Type] = [
        ReolinkKind.self,
        HTTPKind.self,
        RTSPKind.self,
        FileKind.self,
        DeviceKind.self,
        ProgramKind.self,
    ]

    /// The first kind that accepts the address.
    /// - Throws: a settings error where none does, or where the kind that it belongs to can't parse it.
    static func kind(of address: CameraAddress) throws(Failure) -> any CameraKind {
        for kind in all {
            if let found = try kind.init(address) { return found }
        }
        throw address.refusal()
    }
}

/// One camera of a certain kind: its address, and everything that differs between kinds. No requirement has a default,
/// so that the compiler names what a new kind lacks. Other code asks in three places which kind it is: `snapshot setup`
/// by the settings, `snapshot check` by `trial`, and `CameraSettings` by the scheme `rtsps:`.
package protocol CameraKind: Sendable {
    /// The forms of CAMERA_URL for this kind; empty where another setting holds the address.
    static var forms: [String] { get }
    /// - Returns: nil where the address belongs to another kind.
    /// - Throws: a settings error where the address is of this kind and invalid.
    init?(_ address: CameraAddress) throws(Failure)

    /// The kind in a few words, for messages.
    var name: String { get }
    /// The address for messages, without secrets.
    var shown: String { get }
    /// The address with its secrets; empty where it can have none. A change of it ends the hold-off after refused
    /// credentials.
    var secretAddress: String { get }
    /// The user and password in the address; nil where it has none.
    var userInfo: (user: String, password: String?)? { get }
    /// The identity of the camera to which `CameraMemory` belongs (session, working login). It is stored, so it holds
    /// no secret, and its form must never change.
    func identity(_ settings: CameraSettings) -> String
    /// Host and port of the TLS connection for pictures; nil where there is none.
    func tlsHost(_ settings: CameraSettings) -> HostAndPort?
    /// Whether taking a picture needs ffmpeg.
    var needsFFmpeg: Bool { get }
    /// The candidate URLs of its video, without user and password, the likeliest first; empty where it has no video.
    func streams(_ camera: CameraSettings, _ settings: Settings) throws(Failure) -> [String]
    /// The hint for this failure; nil where this kind has none.
    func hint(_ failure: HintedFailure, _ settings: CameraSettings) -> String?
    /// The steps by which `snapshot check` tests it.
    var trial: CameraTrial { get }
    /// The object that takes its pictures.
    func camera(_ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log) -> any Camera
}

/// The failures that several kinds of cameras share, each with a hint that differs between these kinds.
package enum HintedFailure: Sendable {
    /// The name doesn't resolve.
    case unresolved
    /// The host can't be reached by that protocol.
    case unreachable(protocol: String)
    /// The request can't be made at all.
    case invalid
    /// The host is up, but the port of that protocol is closed.
    case portClosed(protocol: String)
    /// The port doesn't speak TLS though it should.
    case plainPort
    /// The connection was lost before any answer.
    case unanswered
    /// The picture took longer than CAMERA_TIMEOUT.
    case slow
    /// The picture has no bytes.
    case empty
    /// The picture is a web page.
    case page
    /// HTTP: a redirect.
    case redirect
    /// HTTP: status 404.
    case notFound
    /// RTSP: a redirect.
    case streamRedirect
    /// RTSP: no such stream.
    case noStream
}

/// The steps by which `snapshot check` tests a camera.
package enum CameraTrial: Sendable {
    /// Take a picture.
    case picture
    /// Connect, log in, ask for the model, take a picture and log out, over Reolink's HTTP API.
    case reolink(host: String)
}
