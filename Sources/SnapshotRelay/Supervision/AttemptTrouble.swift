import SnapshotBase

/// The reasons for an attempt's end that have words for the log; some are codes of `Failure.Code.Camera`, too.
enum AttemptTrouble: String, TroubleCode {
    case cameraUnreachable = "camera-unreachable"
    case cameraUnresolved = "camera-unresolved"
    case cameraSilent = "camera-silent"
    case cameraCredentials = "camera-credentials"
    case cameraInsecureLogin = "camera-insecure-login"
    case cameraTLS = "camera-tls"
    case cameraKeyChanged = "camera-key-changed"
    case cameraPins = "camera-pins"
    case cameraRedirect = "camera-redirect"
    case cameraStream = "camera-stream"
    case cameraTransport = "camera-transport"
    case cameraBusy = "camera-busy"
    case cameraFormat = "camera-format"
    case cameraCodec = "camera-codec"
    case cameraStalled = "camera-stalled"
    case cameraLost = "camera-lost"
    case cameraClock = "camera-clock"
    case ffmpegFailed = "ffmpeg-failed"
    case ffmpegKilled = "ffmpeg-killed"
    case ffmpegRestart = "ffmpeg-anew"
    case ffmpegFull = "ffmpeg-full"
    case ffmpegStuck = "ffmpeg-stuck"
    case noFFmpeg = "no-ffmpeg"
    case noFFprobe = "no-ffprobe"

    var words: String {
        switch self {
        case .cameraUnreachable: "it can't be reached"
        case .cameraUnresolved: "its name does not resolve"
        case .cameraSilent: "it doesn't answer"
        case .cameraCredentials: "it refuses the login"
        case .cameraInsecureLogin: "it offers no login that keeps the password safe"
        case .cameraTLS: "no TLS connection to it can be made"
        case .cameraKeyChanged: "its TLS key isn't the one that is pinned"
        case .cameraPins: "the pinned TLS keys can't be read"
        case .cameraRedirect: "it redirects to another address"
        case .cameraStream: "it has no such stream"
        case .cameraTransport: "none of its packets arrive"
        case .cameraBusy: "it has no session left"
        case .cameraFormat: "the size or encoding of its video has changed, so ffmpeg is restarted"
        case .cameraCodec: "no output can carry what it sends"
        case .cameraStalled: "its video stopped"
        case .cameraLost: "it ended the stream"
        case .cameraClock: "its clock was set, so ffmpeg is restarted"
        case .ffmpegFailed: "ffmpeg ended by itself before any video flowed"
        case .ffmpegKilled: "ffmpeg was killed"
        case .ffmpegRestart: "ffmpeg is restarted for an output that had stalled, or can be written again"
        case .ffmpegFull: "ffmpeg broke off, since the disk of an output is full"
        case .ffmpegStuck: "ffmpeg was left behind, since it hangs in the folder of an output"
        case .noFFmpeg: "ffmpeg is not installed"
        case .noFFprobe: "ffprobe is not installed"
        }
    }

    var hint: String? {
        switch self {
        case .cameraUnreachable, .cameraSilent:
            "check the address and port, and that RTSP is switched on in the camera"
        case .cameraCredentials:
            "check CAMERA_USERNAME and CAMERA_PASSWORD, then restart the relay, which otherwise waits 10 min or longer"
        case .cameraInsecureLogin: "switch Digest on in the camera, or use rtsps:// in CAMERA_URL"
        case .cameraTLS: "set CAMERA_TLS_VERIFY=pin-first, since most cameras sign their own certificate"
        case .cameraKeyChanged:
            "if the camera was replaced or reset, forget the old key: snapshot check --forget-pin; if not, somebody may "
                + "intercept the connection"
        case .cameraRedirect: "set CAMERA_URL to the stream's final address"
        case .cameraStream: "check CAMERA_URL, or CAMERA_CHANNEL and STREAM_SOURCE"
        case .cameraTransport:
            "set CAMERA_RTSP_TRANSPORT=auto, and let UDP from the camera through this machine's firewall"
        case .cameraBusy: "close other viewers of the camera; some cameras allow only one"
        case .cameraCodec: CodecTrouble.uncarried.hint
        case .cameraStalled: "if it happens often, look at the camera's network, or raise STALL_TIMEOUT"
        case .ffmpegFailed: "ffmpeg's last lines are in the brackets; snapshot check tries the camera alone"
        case .ffmpegKilled: "journalctl -k shows whether memory ran out"
        case .ffmpegFull: "free some space; until then the relay goes on with its other outputs"
        case .ffmpegStuck: "check whether the folder's server or disk responds"
        case .noFFmpeg, .noFFprobe: "install ffmpeg, e.g. apt install ffmpeg"
        case .cameraUnresolved, .cameraPins, .cameraLost, .cameraClock, .cameraFormat, .ffmpegRestart: nil
        }
    }
}

extension Supervisor {
    /// The reason for an attempt's end: any failure's code, whether `AttemptTrouble` has it or not.
    package struct Trouble: Equatable, Sendable {
        /// A short, stable code, e.g. `camera-lost`.
        package let code: String
        /// Whether the camera refused the credentials, or its TLS key isn't known to be the pinned one: a person has to
        /// act.
        package let isRefusal: Bool

        init(_ trouble: AttemptTrouble) {
            (code, isRefusal) = (trouble.rawValue, false)
        }

        init(_ failure: Failure) {
            (code, isRefusal) = (failure.code.rawValue, failure.kind == .cameraRefused)
        }

        /// Whether ffmpeg failed or was killed, and the camera isn't known to be the cause.
        var isOfFFmpeg: Bool { known == .ffmpegKilled || known == .ffmpegFailed }

        /// nil for a failure that the relay has no words for.
        var known: AttemptTrouble? { AttemptTrouble(rawValue: code) }
        /// An explanation; the code itself where the relay has no words for it.
        var words: String { known?.words ?? code }
        var hint: String? { known?.hint }
    }
}
