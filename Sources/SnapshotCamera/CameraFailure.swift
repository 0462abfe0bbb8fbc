import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// How a camera's failures are told.
extension Failure {
    package static func camera(_ failure: HTTPFailure, _ settings: CameraSettings) -> Failure {
        let setting = settings.isReolink ? "CAMERA_IP" : "CAMERA_URL"
        func make(_ code: Code, _ what: String, why: String, hint: String?) -> Failure {
            Failure(code, what, settings.address, why: why, hint: hint, cause: failure)
        }
        switch failure.kind {
        case .unresolved:
            return make(
                .camera(.unresolved), "cannot find camera", why: "its name does not resolve",
                hint: "check \(setting), or use the camera's address instead of its name")
        case .unreachable, .unconnected:
            let isSilent = failure.kind == .unconnected
            return make(
                .camera(.unreachable), "cannot reach camera",
                why: isSilent
                    ? "no connection within CAMERA_CONNECT_TIMEOUT (\(settings.connectTimeout.settingText))"
                    : failure.why,
                hint:
                    "is it on, is \(setting) right, and its \(settings.protocolName) port enabled?"
            )
        case .timedOut:
            return make(
                .camera(.timeout), "no picture from camera",
                why:
                    "it took longer than CAMERA_TIMEOUT (\(settings.timeout.settingText))",
                hint: (settings.isReolink ? "CAMERA_STREAM=sub is quicker; " : "")
                    + "on slow paths raise CAMERA_TIMEOUT")
        case .tls, .noTLS:
            return make(
                .camera(.tls), "no TLS with camera", why: failure.why,
                hint:
                    "most cameras sign their own certificate: CAMERA_TLS_VERIFY=pin-first; old ones speak HTTP only"
            )
        case .pinMismatch:
            return Failure(
                .camera(.keyChanged), "refused camera", settings.address,
                why: "its TLS key isn't the one that is pinned",
                hint: "if the camera was replaced or reset, "
                    + (settings.verification == .pinFirst
                        ? "forget the old key: snapshot check --forget-pin" : "put its new pin into CAMERA_TLS_VERIFY")
                    + "; if not, somebody may be in between")
        case .cutShort:
            return make(
                .picture(.cutShort), "bad picture from camera",
                why: "the body ended before its announced length",
                hint: nil)
        case .tooLarge:
            return make(
                .picture(.tooLarge), "bad picture from camera",
                why: "it is over \(sizeText(settings.maxBytes)), or never ends",
                hint: "set CAMERA_MAX_BYTES where the camera's pictures are larger")
        case .endless:
            return make(
                .picture(.stream), "no picture from camera", why: failure.why,
                hint: "give the address of its still picture; for the video's give rtsp://…")
        case .refused:
            return Failure(
                .camera(.credentials), "camera refuses login", settings.address, why: failure.why,
                hint: "check CAMERA_USERNAME and CAMERA_PASSWORD")
        case .lost:
            return make(.camera(.lost), "lost camera", why: failure.why, hint: nil)
        case .invalid:
            return make(.camera(.invalid), "cannot ask camera", why: failure.why, hint: "check \(setting)")
        case .noLibrary:
            return make(.missing("libcurl"), "cannot ask camera", why: failure.why, hint: HTTPFailure.Kind.libraryHint)
        }
    }

    package static func badPicture(_ flaw: JPEG.Flaw, _ settings: CameraSettings) -> Failure {
        let code: Code =
            switch flaw {
            case .empty: .picture(.empty)
            case .cutShort: .picture(.cutShort)
            case .json: .picture(.json)
            case .html: .picture(.html)
            default: .picture(.bad)
            }
        let hint: String? =
            switch flaw {
            case .empty where settings.isReolink:
                "some firmware answers so unless CAMERA_WIDTH and CAMERA_HEIGHT are set"
            case .html where settings.isReolink: "is CAMERA_IP the camera's? --verbose shows what came"
            case .html: "CAMERA_URL must be the address of the picture itself; --verbose shows what came"
            case .otherFormat, .json: "--verbose shows what came"
            default: nil
            }
        return Failure(
            code, "bad picture from camera", settings.address, why: "\(flaw)", hint: hint)
    }

    /// An HTTP status that is no picture; nil for 200.
    package static func cameraStatus(_ response: HTTPResponse, _ settings: CameraSettings) -> Failure? {
        switch response.status {
        case 200: return nil
        case 401, 403:
            return Failure(
                .camera(.credentials), "camera refuses login", settings.address,
                why: "HTTP status \(response.status)", hint: "check CAMERA_USERNAME and CAMERA_PASSWORD")
        case 300...399:
            return Failure(
                .camera(.redirect), "no picture from camera", settings.address,
                why: "HTTP status \(response.status), a redirect, which is never followed",
                hint: settings.useHTTPS || !settings.isReolink
                    ? "set CAMERA_URL to the picture's final address"
                    : "it may want HTTPS: set CAMERA_USE_HTTPS=true")
        case 404:
            return Failure(
                .camera(.status), "no picture from camera", settings.address,
                why: "HTTP status 404",
                hint: settings.isReolink
                    ? "some firmware answers so unless CAMERA_WIDTH and CAMERA_HEIGHT are set; other cameras need CAMERA_URL"
                    : "check CAMERA_URL; a browser should show the picture there"
            )
        default:
            return Failure(
                .camera(.status), "no picture from camera", settings.address,
                why: "HTTP status \(response.status)", hint: nil)
        }
    }
}

extension CameraSettings {
    fileprivate var protocolName: String {
        if case .rtsp = source { return "RTSP" }
        return useHTTPS ? "HTTPS" : "HTTP"
    }
}
