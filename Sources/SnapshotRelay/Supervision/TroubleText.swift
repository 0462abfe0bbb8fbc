/// What the codes of troubles mean in words, and what helps.
enum TroubleText {
    static func why(_ code: String) -> String { words[code] ?? code }
    static func hint(_ code: String) -> String? { hints[code] }

    private static let words = [
        "camera-unreachable": "it can't be reached", "camera-silent": "it doesn't answer",
        "camera-credentials": "it refuses the login", "camera-stream": "it has no such stream",
        "camera-unresolved": "its name does not resolve", "camera-tls": "there is no TLS with it",
        "camera-key-changed": "its TLS key isn't the one that is pinned",
        "camera-redirect": "it sends elsewhere",
        "camera-insecure-login": "no login there is safe enough", "camera-pins": "the pinned TLS keys can't be read",
        "camera-stalled": "nothing more came", "camera-lost": "it ended the stream",
        "ffmpeg-failed": "ffmpeg gave up", "ffmpeg-killed": "ffmpeg was killed",
        "no-ffmpeg": "ffmpeg is not installed", "no-ffprobe": "ffprobe is not installed",
        "push-unreachable": "the server can't be reached", "push-lost": "the connection was lost",
        "push-refused": "the server refuses the login", "push-rejected": "the server refuses the stream",
        "pipe-unreachable": "the server can't be reached", "pipe-lost": "the connection was lost",
        "pipe-refused": "the server refuses HTTP_AUTH_TOKEN", "pipe-ended": "the server ended the request",
        "pipe-tls": "the server's certificate isn't trusted",
        "folder-full": "the disk is full", "folder-denied": "its folder can't be written",
        "folder-gone": "its folder is gone", "camera-clock": "its clock was set, ffmpeg is begun anew",
        "ffmpeg-anew": "ffmpeg is begun anew for an output that stood still",
        "output-stuck": "ffmpeg wrote nothing more to it",
    ]

    private static let hints = [
        "camera-unreachable": reach, "camera-silent": reach,
        "camera-tls": "most cameras sign their own certificate: CAMERA_TLS_VERIFY=pin-first",
        "camera-key-changed":
            "if the camera was replaced or reset, forget the old key: snapshot check --forget-pin; if not, somebody may "
            + "be in between",
        "camera-redirect": "set CAMERA_URL to the stream's final address",
        "camera-insecure-login": "switch Digest on in the camera, or use rtsps:// in CAMERA_URL",
        "camera-credentials":
            "check CAMERA_USERNAME and CAMERA_PASSWORD, then restart the relay; it asks again in 10 min",
        "camera-stream": "check CAMERA_URL, or CAMERA_CHANNEL and STREAM_SOURCE",
        "camera-stalled": "if it happens often, look at the camera's network, or raise STALL_TIMEOUT",
        "ffmpeg-failed": "ffmpeg's last words are in the brackets; snapshot check tries the camera alone",
        "ffmpeg-killed": "journalctl -k tells whether memory ran out",
        "no-ffmpeg": "install ffmpeg, e.g. apt install ffmpeg", "no-ffprobe": "install ffmpeg, e.g. apt install ffmpeg",
        "push-unreachable": "check host and port of OUTPUT_RTSP_URL",
        "push-refused": "check user and password in OUTPUT_RTSP_URL, then restart the relay; it asks again in 10 min",
        "push-rejected": "check the path of OUTPUT_RTSP_URL, and that the server takes pushes there",
        "pipe-unreachable": "check SERVER_URL",
        "pipe-refused": "check HTTP_AUTH_TOKEN, then restart the relay; it asks again in 10 min",
        "pipe-ended": "the server's log tells why; SERVER_URL has to take a POST without end",
        "pipe-tls": "set SSL_CERT_FILE to the authority that signed it",
        "folder-full": "free some space; RECORD_MAX_BYTES or RECORD_MIN_FREE keep recordings from taking all of it",
        "folder-gone": "is the disk of OUTPUT_DIR mounted? then restart the relay",
        "folder-denied": "check OUTPUT_DIR and its rights; under systemd the service needs ReadWritePaths= for it",
    ]

    private static let reach = "check the address and port, and that RTSP is switched on in the camera"
}
