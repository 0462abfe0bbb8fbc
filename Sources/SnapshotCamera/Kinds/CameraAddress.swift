import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// The camera's address from the settings: CAMERA_URL, else CAMERA_IP.
package struct CameraAddress {
    package let text: String
    /// Whether it comes from CAMERA_URL.
    package let isURL: Bool
    private let settings: Settings

    /// - Throws: a settings error where neither is set.
    init(_ settings: Settings) throws(Failure) {
        self.settings = settings
        if let url = try settings[Key.cameraURL] {
            (text, isURL) = (url, true)
        } else if let host = try settings[Key.cameraIP] {
            (text, isURL) = (host, false)
        } else {
            throw .settings(
                "no camera is set", why: "neither CAMERA_IP nor CAMERA_URL has a value",
                hint: "snapshot setup asks for all that is needed (with sudo for the service); or set CAMERA_IP and "
                    + "CAMERA_PASSWORD")
        }
    }

    /// The part of CAMERA_URL after `scheme` and its colon; nil where it has another scheme.
    func rest(after scheme: String) -> String? {
        isURL && text.hasPrefix(scheme + ":") ? String(text.dropFirst(scheme.utf8.count + 1)) : nil
    }

    /// CAMERA_URL parsed as a URL of one of these schemes; nil where it has another scheme.
    /// - Throws: a settings error where it has such a scheme and isn't a valid URL.
    func url(_ schemes: [String]) throws(Failure) -> CameraURL? {
        guard isURL, let colon = text.firstIndex(of: ":"), schemes.contains(text[..<colon].lowercased()) else {
            return nil
        }
        if let flaw = unexpandedFlaw(inURL: text) { throw refusal(flaw.rule, hint: flaw.hint) }
        guard SnapshotSettings.isURL(text, schemes), let parts = URLParts(text) else { throw refusal() }
        return CameraURL(url: parts.withoutUser, userInfo: parts.user.map { ($0, parts.password) })
    }

    /// The settings error for this address.
    /// - Parameter rule: what the address must be; nil stands for the forms of all camera kinds.
    func refusal(_ rule: String? = nil, hint: String? = nil) -> Failure {
        let forms = alternatives(CameraKinds.all.flatMap { $0.forms })
        let standard = "must be \(forms), with a host or a path, and no spaces in a URL"
        return settings.refusal(isURL ? Key.cameraURL : Key.cameraIP, rule: rule ?? standard, hint: hint)
    }
}

/// The CAMERA_URL of a camera on the network.
struct CameraURL {
    /// The URL without user and password.
    let url: String
    let userInfo: (user: String, password: String?)?

    var shown: String { redactedURL(url) }
    var tlsHost: HostAndPort? { HostAndPort(tlsURL: url) }

    /// The hint for a camera that can't be found, asked or reached, or that is too slow; nil for other failures.
    static func hint(_ failure: HintedFailure, setting: String = "CAMERA_URL") -> String? {
        switch failure {
        case .unresolved: "check \(setting), or use the camera's address instead of its name"
        case .unreachable(let name), .portClosed(let name):
            "is the camera on, is \(setting) right, and is \(name) enabled in the camera?"
        case .invalid: "check \(setting)"
        case .slow: "on a slow network raise CAMERA_TIMEOUT"
        case .plainPort, .unanswered, .empty, .page, .redirect, .notFound, .streamRedirect, .noStream: nil
        }
    }
}
