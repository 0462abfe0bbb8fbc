import SnapshotBase
import SnapshotMedia
import SnapshotSettings

extension Failure {
    /// The error for the end of a session; nil where the camera isn't to blame.
    static func rtsp(_ end: RTSPEnd, _ settings: CameraSettings, url: String, hasSeenDigest: Bool) -> Failure? {
        let address = redactedURL(url)
        func make(_ code: Code, _ what: String, why: String, hint: String? = nil) -> Failure {
            Failure(code, what, address, why: why, hint: hint)
        }
        switch end {
        case .clientClosed, .stopped: return nil
        case .lost: return make(.camera(.lost), "lost connection to camera", why: "it closed the connection")
        case .malformed: return make(.camera(.lost), "lost connection to camera", why: "what it sends isn't valid RTSP")
        case .silent:
            return make(
                .camera(.silent), "no video from camera", why: "it doesn't answer", hint: "does it need a restart?")
        case .refused(let status):
            return Failure(
                .camera(.credentials), "camera refuses login", address,
                why: settings.loginUser == nil
                    ? "it asks for a login, and no user or password is set" : "RTSP status \(status)",
                hint: "check CAMERA_USERNAME and CAMERA_PASSWORD, or those in CAMERA_URL")
        case .insecure: return insecureLogin(address, hasSeenDigest: hasSeenDigest)
        case .rejected(461):
            return make(
                .camera(.transport), "no video from camera",
                why: "\(refusedTransport(settings.transport)) (RTSP status 461)",
                hint: settings.transport == .auto ? nil : "set CAMERA_RTSP_TRANSPORT=auto")
        case .busy:
            return make(
                .camera(.busy), "no video from camera", why: "it has no session left (RTSP status 453)",
                hint: "close other viewers of the camera; some cameras allow only one")
        case .reformatted:
            return make(.camera(.format), "no more video from camera", why: "its size or encoding has changed")
        case .noDatagrams:
            return make(
                .camera(.transport), "no video from camera", why: "it sends over UDP, and none of its packets arrive",
                hint: "let UDP from the camera through this machine's firewall, or set CAMERA_RTSP_TRANSPORT=tcp")
        case .rejected(let status) where status >= 500:
            return make(.camera(.lost), "no video from camera", why: "RTSP status \(status)")
        case .rejected(let status):
            return make(
                .camera(.stream), "no video from camera", why: "RTSP status \(status)",
                hint: settings.hint(.noStream))
        case .redirected(let status):
            return make(
                .camera(.redirect), "no video from camera",
                why: "RTSP status \(status), a redirect, which is never followed",
                hint: settings.hint(.streamRedirect))
        }
    }

    private static func refusedTransport(_ wanted: CameraTransport) -> String {
        switch wanted {
        case .auto: "it sends neither over TCP nor over UDP"
        case .tcp: "it doesn't send over TCP"
        case .udp: "it doesn't send over UDP"
        }
    }

    private static func insecureLogin(_ address: String, hasSeenDigest: Bool) -> Failure {
        Failure(
            .camera(.insecureLogin), "cannot log in to camera", address,
            why: hasSeenDigest
                ? "it wants the password in the clear, though it has taken a digest of it before"
                : "it wants the password in the clear, which CAMERA_USE_HTTPS=true forbids",
            hint: hasSeenDigest
                ? "somebody may intercept the connection; if you have switched Digest off in the camera, switch it on again, or "
                    + "remove session.json from STATE_PATH"
                : "switch Digest on in the camera, or use rtsps:// in CAMERA_URL")
    }
}
