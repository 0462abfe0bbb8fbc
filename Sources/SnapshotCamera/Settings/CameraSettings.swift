import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// The settings of one camera, checked.
package struct CameraSettings: Sendable {
    package typealias Auth = CameraAuth
    package typealias Stream = CameraStream
    /// How the camera's TLS certificate is verified (CAMERA_TLS_VERIFY). `pin` holds `sha256//` and base64.
    package enum Verification: Equatable, Sendable {
        case off, authorities, pinFirst
        case pin(String)
    }

    package var kind: any CameraKind
    package var name: String
    package var username: String
    package var password: String
    /// The user to log in as; nil where no login is set. A password may be empty.
    package var loginUser: String? { hasLogin ? username : nil }
    private var hasLogin: Bool
    package var useHTTPS: Bool
    package var verification: Verification
    /// The path of a file with private certificate authorities for CAMERA_TLS_VERIFY=ca; nil otherwise.
    package var authorities: String?
    package var channel: Int
    package var stream: Stream
    /// The wanted size of the picture in pixels.
    package var size: (width: Int, height: Int)?
    package var auth: Auth
    /// The largest accepted picture, in bytes; one of a 4K main stream has 2 to 8 MB.
    package var maxBytes: Int
    package var follow: CameraFollow
    package var transport: CameraTransport
    package var connectTimeout: Duration
    package var timeout: Duration
    package let context: ProcessContext

    /// - Throws: a settings error for the first value that is missing or invalid.
    package init(_ settings: Settings) throws(Failure) {
        context = settings.context
        kind = try CameraKinds.kind(of: CameraAddress(settings))
        let own = kind.userInfo
        name = try Self.name(settings)
        let (user, password) = (try settings[Key.cameraUsername], try settings[Key.cameraPassword])
        username = own?.user ?? user
        self.password = own?.password ?? password
        let isUserSet = try settings.value(Key.cameraUsername) != nil
        hasLogin = own != nil || isUserSet || !password.isEmpty
        useHTTPS = try settings[Key.cameraUseHTTPS]
        verification = try Self.verification(settings)
        authorities = verification == .authorities ? try authorityFile(settings) : nil
        channel = try settings[Key.cameraChannel]
        stream = try settings[Key.cameraStream]
        auth = try settings[Key.cameraAuth]
        maxBytes = try settings[Key.cameraMaxBytes]
        follow = try settings[Key.cameraFollow]
        transport = try settings[Key.cameraRTSPTransport]
        connectTimeout = try settings[Key.cameraConnectTimeout]
        timeout = try settings[Key.cameraTimeout]
        size = try Self.size(settings)
        guard transport != .udp || !kind.secretAddress.lowercased().hasPrefix("rtsps:") else {
            throw settings.refusal(Key.cameraRTSPTransport, rule: "must be auto or tcp if CAMERA_URL is rtsps://")
        }
    }

    /// Host and port of the TLS connection for pictures; nil where there is none.
    package var tlsHost: HostAndPort? { kind.tlsHost(self) }

    /// The identity of the camera to which `CameraMemory` belongs.
    package var identity: String { kind.identity(self) }

    /// Every setting that may change whether the camera accepts the login; a new value ends the hold-off after refused
    /// credentials. It holds secrets, so only a digest of it is stored.
    package var fingerprint: String {
        "\(identity) \(kind.secretAddress) \(auth.rawValue) \(channel) \(username) \(password)"
    }

    /// The address for messages, without secrets.
    package var address: String { kind.shown }

    func hint(_ failure: HintedFailure) -> String? { kind.hint(failure, self) }

    private static func name(_ settings: Settings) throws(Failure) -> String {
        let name = try settings[Key.cameraName]
        guard name.utf8.count <= 64, !name.utf8.contains(UInt8(ascii: "/")),
            name[...].range(of: "..") == nil
        else {
            throw settings.refusal(
                Key.cameraName, rule: "must be at most 64 bytes, without '/' and '..': it goes into keys")
        }
        guard name != "." else {
            throw settings.refusal(Key.cameraName, rule: "must be a name, not a dot")
        }
        return name
    }

    private static func verification(_ settings: Settings) throws(Failure) -> Verification {
        let text = try settings[Key.cameraTLSVerify]
        switch text.lowercased() {
        case "off": return .off
        case "ca": return .authorities
        case "pin-first": return .pinFirst
        default:
            guard PinList.isPin(text) else {
                throw settings.refusal(
                    Key.cameraTLSVerify,
                    rule: "must be off, ca, pin-first or sha256// and 44 base64 characters")
            }
            return .pin(text)
        }
    }

    private static func size(_ settings: Settings) throws(Failure) -> (width: Int, height: Int)? {
        let width = try settings[Key.cameraWidth]
        let height = try settings[Key.cameraHeight]
        if let width, let height { return (width, height) }
        guard width == nil, height == nil else {
            throw .settings(
                "refused", width == nil ? "CAMERA_HEIGHT" : "CAMERA_WIDTH",
                why: "CAMERA_WIDTH and CAMERA_HEIGHT must be set both or not at all")
        }
        return nil
    }
}
