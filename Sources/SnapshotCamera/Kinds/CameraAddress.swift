import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// What the settings say of where the camera is: CAMERA_URL, else CAMERA_IP.
package struct CameraAddress {
    package let text: String
    /// Whether CAMERA_URL has it.
    package let isURL: Bool
    private let settings: Settings

    /// - Throws: where neither is set.
    init(_ settings: Settings) throws(Failure) {
        self.settings = settings
        if let url = try settings[Key.cameraURL] {
            (text, isURL) = (url, true)
        } else if let host = try settings[Key.cameraIP] {
            (text, isURL) = (host, false)
        } else {
            throw .settings(
                "no camera is set", why: "neither CAMERA_IP nor CAMERA_URL has a value",
                hint: "put CAMERA_IP=192.168.1.20 and CAMERA_PASSWORD=… into .env or \(Settings.systemPath)")
        }
    }

    /// What CAMERA_URL has behind `scheme` and its colon; nil where it has another scheme.
    func behind(_ scheme: String) -> String? {
        isURL && text.hasPrefix(scheme + ":") ? String(text.dropFirst(scheme.utf8.count + 1)) : nil
    }

    /// CAMERA_URL as a URL of one of these schemes; nil where it has another scheme.
    func url(_ schemes: [String]) throws(Failure) -> CameraURL? {
        guard isURL, let colon = text.firstIndex(of: ":"), schemes.contains(text[..<colon].lowercased()) else {
            return nil
        }
        if let flaw = unexpandedFlaw(inURL: text) { throw refusal(flaw.rule, hint: flaw.hint) }
        guard SnapshotSettings.isURL(text, schemes), let parts = URLParts(text) else { throw refusal() }
        return CameraURL(url: parts.withoutUser, login: parts.user.map { ($0, parts.password) })
    }

    /// - Parameter rule: what it should be; nil: one of the forms that there are.
    func refusal(_ rule: String? = nil, hint: String? = nil) -> Failure {
        let forms = alternatives(CameraKinds.all.flatMap { $0.forms })
        let standard = "must be \(forms), with a host or a path, and no spaces in a URL"
        return settings.refusal(isURL ? Key.cameraURL : Key.cameraIP, rule: rule ?? standard, hint: hint)
    }
}

/// CAMERA_URL of a camera across the network.
struct CameraURL {
    /// Without user and password.
    let url: String
    let login: (user: String, password: String?)?

    var shown: String { redactedURL(url) }
    var tlsHost: TLSHost? { TLSHost(url: url) }

    /// What to do about a camera that can't be reached, or not in time; nil for what is no matter of the network.
    static func hint(_ trouble: CameraTrouble, setting: String = "CAMERA_URL") -> String? {
        switch trouble {
        case .unresolved: "check \(setting), or use the camera's address instead of its name"
        case .unreachable(let name), .portClosed(let name):
            "is it on, is \(setting) right, and its \(name) port enabled?"
        case .invalid: "check \(setting)"
        case .slow: "on slow paths raise CAMERA_TIMEOUT"
        case .plainPort, .unanswered, .empty, .page, .redirect, .notFound, .streamRedirect, .noStream: nil
        }
    }
}
