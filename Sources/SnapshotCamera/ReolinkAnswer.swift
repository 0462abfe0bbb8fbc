import SnapshotBase

/// A response of Reolink's API: `[{"cmd":…,"code":0,"value":…}]` or `[{"cmd":…,"code":1,"error":{"rspCode":…}}]`.
/// Errors come with HTTP status 200 and any content type.
package enum ReolinkAnswer: Equatable {
    case token(name: String, leaseSeconds: Double)
    /// `detail` is the camera's own text.
    case error(code: Int, detail: String, remainingTries: Int?)
    case ok
    case unreadable

    package init(_ body: [UInt8]) {
        let answer = JSON(body.prefix(65536))
        guard let item = answer?[0] ?? answer, case .object = item else {
            let text = String(decoding: body.prefix(4096), as: UTF8.self)
            self = ReolinkError.isLock(text) ? .error(code: 0, detail: text, remainingTries: nil) : .unreadable
            return
        }
        let token = item["value"]?["Token"]
        if let name = token?["name"]?.string, !name.isEmpty, name.utf8.count <= 256,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 38 && $0 != 35 })
        {
            self = .token(name: name, leaseSeconds: min(max(token?["leaseTime"]?.double ?? 3600, 0), 86400))
        } else if let error = item["error"], case .object = error {
            self = .error(
                code: error["rspCode"]?.integer ?? 0, detail: error["detail"]?.string ?? "",
                remainingTries: error["remain_times"]?.integer)
        } else {
            self = item["code"]?.integer == 0 ? .ok : .unreadable
        }
    }
}

/// Reolink's error codes and their explanations.
enum ReolinkError {
    static let maxSessions = -5
    static let loginFirst = -6
    static let badToken = -21
    static let tooFrequent = -105
    private static let refusals: Set<Int> = [-7, -27, -502, -501, -500]
    /// The codes by which cameras answer that they don't support login by token.
    static let unsupported: Set<Int> = [-1, -4, -9, -12, -26]

    /// Whether the camera reports a wrong user or password, or a locked login.
    static func isRefusal(_ code: Int, _ detail: String) -> Bool { refusals.contains(code) || isLock(detail) }

    /// Recognises a locked login by its text, since firmware versions use several codes for it, or none.
    fileprivate static func isLock(_ detail: String) -> Bool {
        detail.lowercased()[...].range(of: "login has been locked") != nil
    }

    static func failure(
        _ code: Int, detail: String, remainingTries: Int?, _ settings: CameraSettings
    ) -> Failure {
        let isRefusal = isRefusal(code, detail)
        let (words, hint) = explanation(isRefusal && code != -27 ? -7 : code, settings)
        let detail = "\(ForeignText(detail, limit: 80))"
        let answer = "rspCode \(code)" + (detail.isEmpty ? "" : ", '\(detail)'")
        let tries = remainingTries.map { ", \(counted($0, "try", plural: "tries")) left before it locks" } ?? ""
        if isRefusal {
            var failure = Failure(
                .camera(.credentials), "camera refuses login", settings.address,
                why: "\(words) (\(answer))\(tries)", hint: hint)
            failure.warnsOfLock = LockWarning.isFew(remainingTries) || LockWarning.isIn(detail)
            return failure
        }
        return Failure(
            .reolink(code), "no picture from camera", settings.address,
            why: "\(words) (\(answer))", hint: hint)
    }

    private static func explanation(_ code: Int, _ settings: CameraSettings) -> (words: String, hint: String?) {
        switch code {
        case -1: ("it says that a parameter is missing", "some models need CAMERA_WIDTH and CAMERA_HEIGHT")
        case -4: ("it rejects a parameter", "check CAMERA_CHANNEL, CAMERA_WIDTH and CAMERA_HEIGHT")
        case -5:
            (
                "all its sessions are taken",
                "close its app and web page, or wait: sessions end after an hour without use"
            )
        case -6: ("it wants a login first", "try CAMERA_AUTH=token or CAMERA_AUTH=password")
        case -7, -27:
            (
                code == -27 ? "it does not know this user" : "wrong user or password, or the login is locked",
                settings.password.isEmpty
                    ? "CAMERA_PASSWORD is empty here; only root and the services read /etc/snapshot/credentials: use sudo"
                    : "check CAMERA_USERNAME and CAMERA_PASSWORD in the camera's app"
                        + (settings.password.utf8.count > 31
                            ? "; it cuts or refuses passwords over 31 characters" : "")
            )
        case -9: ("it does not support this", "use CAMERA_URL with its RTSP stream instead")
        case -12: ("it can't read its configuration", "restart the camera")
        case -16, -17:
            ("the hub can't reach the camera", "look at the camera's power and Wi-Fi in the hub's app")
        case -21: ("it refuses the session token", "the next run logs in anew; if this stays, restart the camera")
        case -26: ("this user may not do that", "use an account with administrator rights")
        case -48: ("taking the picture failed inside the camera", "restart the camera if this stays")
        case -49: ("it has no channel \(settings.channel)", "check CAMERA_CHANNEL; the first channel is 0")
        case -105: ("too many logins in a short time", "wait some minutes")
        default: ("it reports an error", "restart the camera, or update its firmware; --verbose shows its answer")
        }
    }
}
