import SnapshotBase
import SnapshotState

/// The way from the status page to pictures.
struct PictureLinks {
    /// Whether the picture itself is shown on the status page: only where nobody is asked for a token.
    let showsPicture: Bool
    /// The cameras that have a latest picture.
    let cameras: [String: Latest]

    enum Latest {
        case taken(Timestamp)
        /// There is one, or may be, that this process may not read.
        case unreadable
    }

    static let all = [("/live/", "Live"), ("/recordings/", "Recordings")]

    /// The latest picture of a camera, or the way to it.
    func figure(camera: String) -> HTML {
        guard let latest = cameras[camera] else { return "" }
        guard case .taken(let taken) = latest else {
            return "<p class=\"card\">The latest picture may not be read. \(Unreadable.advice)</p>"
        }
        let address = camera.isEmpty ? "latest.jpg" : "latest/\(percentEncoded(camera)).jpg"
        guard showsPicture else { return "<p class=\"card\"><a href=\"\(address)\">Latest picture</a></p>" }
        return """
            <figure class="card view"><a href="\(address)"><img src="\(address)?\(Int(taken.milliseconds))" alt="Latest picture"></a></figure>
            """
    }
}

/// The page at `/live/`, or at `/live/NAME/`.
struct LivePage {
    /// All that have a live view, as instance and title; the camera without an instance's name is nil.
    let cameras: [(name: String?, title: String)]
    /// The one that is shown.
    let camera: String?
    /// The list of segments, and when it was last written.
    let playlist: Found<Timestamp>
    let now: Timestamp
    /// Whether the page is a camera's own, a folder deeper.
    let isNamed: Bool

    private var name: String {
        let title = cameras.first { $0.name == camera }?.title.printable(limit: 64) ?? ""
        return title.isEmpty ? "Camera" : title
    }

    private var root: String { isNamed ? "../../" : "../" }

    private func address(_ name: String?) -> String {
        root + (name.map { "live/\(percentEncoded($0))/" } ?? "live/")
    }

    /// The way to the others.
    private var choice: HTML {
        guard cameras.count > 1 else { return "" }
        let links = cameras.map { other -> HTML in
            let current: HTML = other.name == camera ? " aria-current=\"page\"" : ""
            let title = other.title.printable(limit: 64)
            return "<a href=\"\(address(other.name))\"\(current)>\(title.isEmpty ? "Camera" : title)</a>"
        }
        return "<nav class=\"choice\" aria-label=\"Cameras\">\(links)</nav>"
    }

    var page: Page {
        let address = "\(address(camera))hls/\(PictureFiles.playlist)"
        let age = playlist.map { Int((now.milliseconds &- $0.milliseconds) / 1000) }
        let note =
            switch age {
            case .missing: "There is no stream yet: the relay writes one with STREAM_MODE=hls."
            case .unreadable: "The stream may not be read. \(Unreadable.advice)"
            case .file(let age) where age > 30: "The stream stopped \(inWords(age)) ago."
            case .file: ""
            }
        return Page(
            path: "/live/", root: root, title: "\(name) live", icon: Page.icon(colour: "566069"),
            links: PictureLinks.all, refreshSeconds: nil,
            main: """
                <h1>\(name)</h1>
                \(choice)
                <div class="card view">
                <video controls autoplay muted playsinline data-source="\(address)"
                    aria-label="Live view"></video>
                <p class="live"><strong id="state">Connecting</strong> <span id="delay"></span></p>
                <p id="note" role="status">\(note)</p>
                <p>For players: <a href="\(address)">the stream’s address</a></p>
                </div>
                """,
            script: Assets.live)
    }
}
