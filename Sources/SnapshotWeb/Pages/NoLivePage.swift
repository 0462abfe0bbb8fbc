import SnapshotBase
import SnapshotState

/// The page at `/live/` where no relay makes a stream: the latest picture, and how to start one.
struct NoLivePage {
    /// All cameras by instance's name, which is "" for the camera without an instance name.
    let cameras: [(key: String, title: String)]
    /// The instance's name of the camera that is shown.
    let camera: String
    let health: Health?
    let latest: LatestPicture?
    let now: Timestamp
    let links: [(String, String)]
    /// The relative path to the status page.
    let root: String

    private var unit: String { camera.isEmpty ? "snapshot-relay" : "snapshot-relay@\(camera)" }
    private var file: String { camera.isEmpty ? "snapshot" : camera }

    private var choice: HTML {
        guard cameras.count > 1 else { return "" }
        let links = cameras.map { key, title -> HTML in
            let current: HTML = key == camera ? " aria-current=\"page\"" : ""
            let address = key.isEmpty ? "live/" : "live/\(percentEncoded(key))/"
            return
                "<a href=\"\(root)\(address)\"\(current)>\(title.isEmpty ? "Camera" : title.printable(limit: 64))</a>"
        }
        return "<nav class=\"choice\" aria-label=\"Cameras\">\(links)</nav>"
    }

    var page: Page {
        let interval = health?.intervalSeconds ?? 10
        let figure = latest.map {
            PictureFigure(camera: camera, latest: $0, now: now, intervalSeconds: interval, root: root)
        }
        return Page(
            path: "/live/", root: root, title: "Live", icon: Page.icon(colour: "566069"), links: links,
            refreshSeconds: Int(min(max(interval, 5), 60)),
            main: """
                <h1>Live</h1>
                \(choice)
                \(figure?.html)
                <div class="card steps">
                <h2>There is no live video yet</h2>
                <p>\(latest == nil ? "" : "This is the latest picture. ")A relay passes the camera's video on.</p>
                <ol>
                <li><p>Put <code>STREAM_MODE=hls</code> into the camera's settings</p>\
                <code class="command">sudoedit /etc/snapshot/\(file.printable(limit: 64)).env</code></li>
                <li><p>Start it</p>\
                <code class="command">sudo systemctl enable --now \(unit.printable(limit: 80))</code></li>
                </ol>
                </div>
                """)
    }
}
