import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

extension Failure {
    /// The error for a failed request to a camera.
    /// - Parameter name: the protocol of the request, e.g. `HTTPS`.
    package static func camera(_ failure: HTTPFailure, _ settings: CameraSettings, over name: String) -> Failure {
        let (code, what) = cameraClass(failure.kind)
        return Failure(
            code, what, settings.address, why: cameraWhy(failure, settings),
            hint: cameraHint(failure, settings, over: name), cause: failure)
    }

    private static func cameraClass(_ kind: HTTPFailure.Kind) -> (Code, what: String) {
        switch kind {
        case .unresolved: (.camera(.unresolved), "cannot find camera")
        case .unreachable, .unconnected, .proxy: (.camera(.unreachable), "cannot reach camera")
        case .timedOut: (.camera(.timeout), "no picture from camera")
        case .tls, .noTLS, .oldTLS, .certificate: (.camera(.tls), "no TLS connection to camera")
        case .pinMismatch: (.camera(.keyChanged), "refused camera")
        case .cutShort: (.picture(.cutShort), "bad picture from camera")
        case .tooLarge: (.picture(.tooLarge), "bad picture from camera")
        case .endless: (.picture(.stream), "no picture from camera")
        case .refused: (.camera(.credentials), "camera refuses login")
        case .lost: (.camera(.lost), "lost connection to camera")
        case .invalid: (.camera(.invalid), "cannot send a request to camera")
        case .noLibrary: (.missing("libcurl"), "cannot send a request to camera")
        }
    }

    private static func cameraWhy(_ failure: HTTPFailure, _ settings: CameraSettings) -> String {
        switch failure.kind {
        case .unresolved: "its name does not resolve"
        case .unconnected where settings.timeout < settings.connectTimeout:
            "no connection within CAMERA_TIMEOUT (\(settings.timeout.settingText))"
        case .unconnected: "no connection within CAMERA_CONNECT_TIMEOUT (\(settings.connectTimeout.settingText))"
        case .timedOut where failure.waitedForFile: failure.why
        case .timedOut: "it took longer than CAMERA_TIMEOUT (\(settings.timeout.settingText))"
        case .pinMismatch: "its TLS key isn't the one that is pinned"
        case .cutShort: "the body ended before its announced length"
        case .tooLarge: "it is over \(sizeText(settings.maxBytes)), or never ends"
        case .unreachable, .proxy, .tls, .noTLS, .oldTLS, .certificate, .endless, .refused, .lost, .invalid, .noLibrary:
            failure.why
        }
    }

    private static func cameraHint(
        _ failure: HTTPFailure, _ settings: CameraSettings, over name: String
    ) -> String? {
        switch failure.kind {
        case .unreachable where failure.isPortClosed: settings.hint(.portClosed(protocol: name))
        case .lost where failure.hasNoResponse: settings.hint(.unanswered)
        case .unresolved: settings.hint(.unresolved)
        case .unreachable, .unconnected, .proxy: settings.hint(.unreachable(protocol: name))
        case .timedOut where failure.waitedForFile: "check whether the server or disk of that folder responds"
        case .timedOut: settings.hint(.slow)
        case .invalid: settings.hint(.invalid)
        case .noTLS: settings.hint(.plainPort)
        case .oldTLS: "CAMERA_TLS_VERIFY=off accepts it, but then nothing is verified"
        case .tls, .certificate:
            "most cameras sign their own certificate: CAMERA_TLS_VERIFY=pin-first; old ones speak HTTP only"
        case .pinMismatch:
            "if the camera was replaced or reset, "
                + (settings.verification == .pinFirst
                    ? "forget the old key: snapshot check --forget-pin" : "put its new pin into CAMERA_TLS_VERIFY")
                + "; if not, somebody may intercept the connection"
        case .tooLarge: "raise CAMERA_MAX_BYTES if the camera's pictures are larger"
        case .endless: "set CAMERA_URL to its still picture, or to its video at rtsp://…"
        case .refused: "check CAMERA_USERNAME and CAMERA_PASSWORD"
        case .noLibrary: HTTPFailure.Kind.libraryHint
        case .cutShort, .lost: nil
        }
    }

    /// The error for a body that isn't a whole JPEG.
    package static func badPicture(_ flaw: JPEG.Flaw, _ settings: CameraSettings) -> Failure {
        let code: Code =
            switch flaw {
            case .empty: .picture(.empty)
            case .cutShort: .picture(.cutShort)
            case .json: .picture(.json)
            case .html: .picture(.html)
            case .otherFormat, .tiny, .badMarker, .badSegment, .noDimensions, .noScan: .picture(.bad)
            }
        let hint: String? =
            switch flaw {
            case .empty: settings.hint(.empty)
            case .html: settings.hint(.page)
            case .otherFormat, .json: "--verbose shows what the camera sent"
            case .cutShort, .tiny, .badMarker, .badSegment, .noDimensions, .noScan:
                "if it happens often, look at the camera's network, or restart the camera; --verbose shows what it sent"
            }
        return Failure(
            code, "bad picture from camera", settings.address, why: "\(flaw)", hint: hint)
    }

    /// The error for a refused login.
    /// - Parameter attempt: how the login was attempted; nil where the request's own query holds it.
    static func cameraLogin(_ response: HTTPResponse, _ settings: CameraSettings, _ attempt: LoginAttempt?) -> Failure {
        let check = "check CAMERA_USERNAME and CAMERA_PASSWORD"
        let digestHint =
            "somebody may intercept the connection; if you have switched Digest off in the camera, remove "
            + "\(CameraMemory.fileName) from STATE_PATH"
        let unasked = attempt?.isChallenged == false ? ", without a request for a login" : ""
        let (why, hint) =
            switch attempt?.way {
            case nil: ("", check)
            case .some(.none): (unasked + "; no user or password is set", "set CAMERA_USERNAME and CAMERA_PASSWORD")
            case .basic: (unasked + "; user and password were sent by Basic", check)
            case .digest: ("; user and password were sent by Digest", check)
            case .weaker:
                (
                    "; it has offered a Digest login before, and now asks for the password in the clear, which wasn't sent",
                    digestHint
                )
            case .unknown(let ways):
                (
                    "; it wants \(ways.joined(separator: " or ")), which isn't supported, so user and password weren't sent",
                    "switch Basic or Digest on in the camera"
                )
            }
        var failure = Failure(
            .camera(.credentials), "camera refuses login", settings.address,
            why: "HTTP status \(response.status)\(why)", hint: hint)
        failure.warnsOfLock = LockWarning.isIn(response.body)
        return failure
    }

    /// The error for an HTTP status; nil for 200.
    package static func cameraStatus(_ response: HTTPResponse, _ settings: CameraSettings) -> Failure? {
        switch response.status {
        case 200: return nil
        case 401, 403: return .cameraLogin(response, settings, nil)
        case 300...399:
            return Failure(
                .camera(.redirect), "no picture from camera", settings.address,
                why: "HTTP status \(response.status), a redirect, which isn't followed",
                hint: settings.hint(.redirect))
        case 404:
            return Failure(
                .camera(.status), "no picture from camera", settings.address, why: "HTTP status 404",
                hint: settings.hint(.notFound))
        default:
            return Failure(
                .camera(.status), "no picture from camera", settings.address,
                why: "HTTP status \(response.status)",
                hint: response.status >= 500
                    ? "restart the camera if this stays; a browser should show the picture there" : nil)
        }
    }
}
