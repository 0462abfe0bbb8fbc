import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// Which camera, and how to ask it.
package struct CameraSettings: Sendable {
    package enum Source: Equatable, Sendable {
        /// Reolink's HTTP API; `host` as a URL wants it, with the port if one was given.
        case reolink(host: String)
        /// A still picture over HTTP; the URL is without user and password.
        case http(url: String)
        case rtsp(url: String)
        case v4l2(device: String)
        case file(path: String)
    }

    package typealias Auth = CameraAuth
    package typealias Stream = CameraStream
    package enum Verification: Equatable, Sendable {
        case off, authorities, pinFirst
        case pin(String)
    }

    package var source: Source
    package var name: String
    package var username: String
    package var password: String
    /// The user to log in as, where there is a login at all; a password may be empty.
    package var login: String? { hasLogin ? username : nil }
    private var hasLogin: Bool
    package var useHTTPS: Bool
    package var verification: Verification
    /// Private certificate authorities for CAMERA_TLS_VERIFY=ca.
    package var authorities: String?
    package var channel: Int
    package var stream: Stream
    /// Pixels; both or neither.
    package var size: (width: Int, height: Int)?
    package var auth: Auth
    /// Pictures over this are refused; a 4K main stream's is 2 to 8 MB.
    package var maxBytes: Int
    package var connectTimeout: Duration
    package var timeout: Duration

    package init(_ settings: Settings) throws(Failure) {
        name = try Self.name(settings)
        username = try settings[Key.cameraUsername]
        password = try settings[Key.cameraPassword]
        hasLogin = try settings.value(Key.cameraUsername) != nil || !password.isEmpty
        useHTTPS = try settings[Key.cameraUseHTTPS]
        verification = try Self.verification(settings)
        authorities = try authorityFile(settings)
        channel = try settings[Key.cameraChannel]
        stream = try settings[Key.cameraStream]
        auth = try settings[Key.cameraAuth]
        maxBytes = try settings[Key.cameraMaxBytes]
        connectTimeout = try settings[Key.cameraConnectTimeout]
        timeout = try settings[Key.cameraTimeout]
        size = try Self.size(settings)
        source = .file(path: "")
        if let url = try settings[Key.cameraURL] {
            source = try readURL(url, settings)
        } else if let address = try settings[Key.cameraIP] {
            guard let host = urlHost(address) else {
                throw settings.refusal(
                    Key.cameraIP, rule: "must be a host, host:port or [IPv6]:port, without http://",
                    hint: address.contains("://")
                        ? "for other cameras set CAMERA_URL" : unexpandedFlaw(in: address)?.hint)
            }
            source = .reolink(host: host)
        } else {
            throw .settings(
                "no camera is set", why: "neither CAMERA_IP nor CAMERA_URL has a value",
                hint: "put CAMERA_IP=192.168.1.20 and CAMERA_PASSWORD=… into .env or \(Settings.systemPath)")
        }
    }

    /// The server that is asked for pictures over TLS; nil where there is none.
    package var tlsHost: TLSHost? {
        switch source {
        case .reolink(let host): useHTTPS ? TLSHost(host, defaultPort: 443) : nil
        case .http(let url), .rtsp(let url): TLSHost(url: url)
        case .v4l2, .file: nil
        }
    }

    var isReolink: Bool {
        if case .reolink = source { true } else { false }
    }

    /// What the camera's own memory (session, key, working login) belongs to.
    package var place: String {
        switch source {
        case .reolink(let host): "reolink \(useHTTPS ? "https" : "http") \(host) \(username)"
        case .http(let url): "http \(redactedURL(url))"
        case .rtsp(let url): "rtsp \(redactedURL(url))"
        case .v4l2(let device): "v4l2 \(device)"
        case .file(let path): "file \(path)"
        }
    }

    /// What refused credentials belong to: all that a person may change to have them taken. Holds secrets, so it is only
    /// ever digested.
    package var fingerprint: String {
        let url =
            switch source {
            case .http(let url), .rtsp(let url): url;
            default: ""
            }
        return "\(place) \(url) \(auth.rawValue) \(channel) \(username) \(password)"
    }

    /// For messages; never a secret.
    package var address: String {
        switch source {
        case .reolink(let host): host
        case .http(let url), .rtsp(let url): redactedURL(url)
        case .v4l2(let device): device
        case .file(let path): path
        }
    }

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

    private mutating func readURL(_ text: String, _ settings: Settings) throws(Failure) -> Source {
        let rule =
            "must begin with http://, https://, rtsp://, file: or v4l2:, with a host or path, without spaces"
        if text.hasPrefix("file:") {
            var path = text.dropFirst(5)
            if path.hasPrefix("//") { path = path.dropFirst(path.hasPrefix("//localhost/") ? 11 : 2) }
            guard let decoded = percentDecoded(path), !decoded.isEmpty else {
                throw settings.refusal(Key.cameraURL, rule: rule)
            }
            if fileExists(String(path)) { return .file(path: String(path)) }
            if let flaw = unexpandedFlaw(in: String(path)) {
                throw settings.refusal(Key.cameraURL, rule: flaw.rule, hint: flaw.hint)
            }
            return .file(path: decoded)
        }
        if text.hasPrefix("v4l2:") {
            let device = String(text.dropFirst(5))
            guard device.hasPrefix("/dev/") else { throw settings.refusal(Key.cameraURL, rule: rule) }
            return .v4l2(device: device)
        }
        if let flaw = unexpandedFlaw(inURL: text) {
            throw settings.refusal(Key.cameraURL, rule: flaw.rule, hint: flaw.hint)
        }
        guard isURL(text, ["http", "https", "rtsp", "rtsps"]), let parts = URLParts(text)
        else { throw settings.refusal(Key.cameraURL, rule: rule) }
        if let user = parts.user {
            username = user
            password = parts.password ?? password
            hasLogin = true
        }
        return parts.scheme.hasPrefix("http") ? .http(url: parts.withoutUser) : .rtsp(url: parts.withoutUser)
    }
}
