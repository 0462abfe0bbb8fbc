import SnapshotBase
import SnapshotState

/// The page at `/live/`, or at `/live/NAME/`.
struct LivePage {
    /// All cameras with a live view, by instance name and title; the name is nil for the camera without one.
    let cameras: [(name: String?, title: String)]
    /// The instance that is shown; nil for the camera without a name.
    let camera: String?
    /// When the playlist was last written.
    let playlist: Found<Timestamp>
    let now: Timestamp
    /// Whether the page's address is `/live/NAME/`, one level deeper than `/live/`.
    let isNamed: Bool
    let links: [(String, String)]

    private var name: String {
        let title = cameras.first { $0.name == camera }?.title.printable(limit: 64) ?? ""
        return title.isEmpty ? "Camera" : title
    }

    private var root: String { isNamed ? "../../" : "../" }

    private func address(_ name: String?) -> String {
        root + (name.map { "live/\(percentEncoded($0))/" } ?? "live/")
    }

    /// The links to the other cameras.
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
            case .unreadable: "The stream cannot be read. \(Unreadable.advice)"
            case .file(let age) where age > 30: "The stream stopped \(inWords(age)) ago."
            case .file: ""
            }
        return Page(
            path: "/live/", root: root, title: "\(name) live", icon: Page.icon(colour: "566069"), links: links,
            refreshSeconds: nil,
            main: """
                <h1>\(name)</h1>
                \(choice)
                <div class="card view">
                <video controls autoplay muted playsinline data-source="\(address)"
                    aria-label="Live view"></video>
                <p class="live"><strong id="state">Connecting</strong> <span id="delay"></span></p>
                <p id="note" role="status">\(note)</p>
                <p>For players: <a href="\(address)">the stream's address</a></p>
                </div>
                """,
            script: Assets.live)
    }
}
