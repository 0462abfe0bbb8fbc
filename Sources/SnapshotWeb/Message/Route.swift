import SnapshotBase

/// The addresses that are served.
enum Route: Hashable {
    /// The status page.
    case status
    /// The health of one camera, or, where it is nil, of all.
    case health(camera: String?)
    /// The live view of an instance; nil for the camera in the relay's own folder.
    case live(camera: String?)
    case metrics
    /// Whether the process responds at all.
    case livez
    case favicon
    /// The latest picture of an instance; nil for the camera in the runtime directory itself.
    case latest(camera: String?)
    case hls(camera: String?, file: [String])
    /// A list of recordings, of one day or hour or of all.
    case recordings(RecordingsSelection)
    case recording(file: [String])
    /// A redirect to the same address with a slash at its end. It is relative, since a proxy may serve the site below a
    /// path.
    case redirect(to: String)

    init?(_ target: Target) {
        let segments = target.segments
        switch (segments[0], segments.count) {
        case ("", 1): self = .status
        case ("health", 1): self = .health(camera: nil)
        case ("health", 2) where segments[1] != "": self = .health(camera: segments[1])
        case ("livez", 1): self = .livez
        case ("metrics", 1): self = .metrics
        case ("favicon.ico", 1): self = .favicon
        case ("latest.jpg", 1): self = .latest(camera: nil)
        case ("latest", 2) where segments[1].hasSuffix(".jpg"):
            self = .latest(camera: String(segments[1].dropLast(4)))
        case ("live", 1), ("recordings", 1): self = .redirect(to: segments[0] + "/")
        case ("live", 2) where segments[1] == "": self = .live(camera: nil)
        case ("live", 3...) where segments[1] == "hls": self = .hls(camera: nil, file: Array(segments[2...]))
        case ("live", 2) where segments[1] != "hls": self = .redirect(to: "\(percentEncoded(segments[1]))/")
        case ("live", 3) where segments[2] == "": self = .live(camera: segments[1])
        case ("live", 4...) where segments[2] == "hls":
            self = .hls(camera: segments[1], file: Array(segments[3...]))
        case ("recordings", _):
            let rest = segments.dropFirst()
            if let selection = RecordingsSelection(rest.last == "" ? rest.dropLast() : rest) {
                self = rest.last == "" ? .recordings(selection) : .redirect(to: segments[segments.count - 1] + "/")
            } else {
                self = .recording(file: Array(rest))
            }
        default: return nil
        }
    }

    /// Whether the response may be a file's content.
    var isFile: Bool {
        switch self {
        case .latest, .hls, .recording: true
        case .status, .health, .metrics, .livez, .favicon, .live, .recordings, .redirect: false
        }
    }

    /// Whether the response needs the relay's folder, whose disk may be slow or hang.
    var needsRelayFolder: Bool {
        switch self {
        case .live, .hls, .recordings, .recording: true
        case .status, .health, .metrics, .livez, .favicon, .latest, .redirect: false
        }
    }

    /// Whether the response shows or leads to pictures or video, so that it is refused unless `WEB_IMAGES` is on.
    var showsPictures: Bool {
        switch self {
        case .live, .latest, .hls, .recordings, .recording, .redirect: true
        case .status, .health, .metrics, .livez, .favicon: false
        }
    }
}
