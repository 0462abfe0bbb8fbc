import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// The kinds of cameras that there are; a new one is a file that conforms to `CameraKind`, and a line here.
package enum CameraKinds {
    package static let all: [any CameraKind.Type] = [
        ReolinkKind.self,
        HTTPKind.self,
        RTSPKind.self,
        FileKind.self,
        DeviceKind.self,
        ProgramKind.self,
    ]

    /// The kind whose address it is.
    static func kind(of address: CameraAddress) throws(Failure) -> any CameraKind {
        for kind in all {
            if let found = try kind.init(address) { return found }
        }
        throw address.refusal()
    }
}

/// One camera as its kind sees it: its address, and all that other kinds have otherwise. Whoever needs to know asks here,
/// and nobody asks which kind it is. No requirement has a default: the compiler names what a new kind lacks.
package protocol CameraKind: Sendable {
    /// How CAMERA_URL is written for it; empty where another setting has the address.
    static var forms: [String] { get }
    /// - Returns: nil where the address is another kind's.
    /// - Throws: where it is of this kind and can't be understood.
    init?(_ address: CameraAddress) throws(Failure)

    /// In a word or two, for people.
    var name: String { get }
    /// The address, for messages; never a secret.
    var shown: String { get }
    /// What of the address may be secret; refused credentials are tried again when it changes.
    var hidden: String { get }
    /// The login that the address brings.
    var login: (user: String, password: String?)? { get }
    /// What the camera's own memory (session, working login) belongs to. Never a secret, and never to be changed: it is
    /// stored.
    func place(_ settings: CameraSettings) -> String
    /// The server that is asked for pictures over TLS; nil where there is none.
    func tlsHost(_ settings: CameraSettings) -> TLSHost?
    /// Whether a picture can't be had without ffmpeg.
    var needsFFmpeg: Bool { get }
    /// Where its video may be, without user and password, the likeliest first; empty where it has none.
    func streams(_ camera: CameraSettings, _ settings: Settings) throws(Failure) -> [String]
    /// What to do when this has gone wrong, where this kind has something to say of it.
    func hint(_ trouble: CameraTrouble, _ settings: CameraSettings) -> String?
    /// How `snapshot check` tries it.
    var trial: CameraTrial { get }
    /// What takes its pictures.
    func camera(_ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log) -> any Camera
}

/// What goes wrong at several kinds of cameras, with another remedy at each.
package enum CameraTrouble: Sendable {
    /// Its name isn't known; it can't be reached at a port of that protocol; it can't be asked at all.
    case unresolved, unreachable(protocol: String), invalid
    /// Its host is there, and has nobody at the port of that protocol.
    case portClosed(protocol: String)
    /// What should speak TLS doesn't; the connection broke before a line of an answer came.
    case plainPort, unanswered
    /// It took longer than CAMERA_TIMEOUT.
    case slow
    /// A picture of no bytes, or a web page instead of one.
    case empty, page
    /// HTTP: it sends elsewhere, or knows no such address.
    case redirect, notFound
    /// RTSP: it sends elsewhere, or has no such stream.
    case streamRedirect, noStream
}

/// The steps by which `snapshot check` tries a camera.
package enum CameraTrial: Sendable {
    /// There is nothing to ask for but the picture.
    case picture
    /// Reach, log in, ask what it is, take a picture, log out, by Reolink's HTTP API.
    case reolink(host: String)
}
