import SnapshotBase
import SnapshotState

/// The way from the status page to pictures.
struct PictureLinks {
    /// Whether the picture itself is shown on the status page: only where nobody is asked for a token.
    let showsPicture: Bool
    /// The cameras that have a latest picture, and since when it is that.
    let cameras: [String: Timestamp]

    static let all = [("/live/", "Live"), ("/recordings/", "Recordings")]

    /// The latest picture of a camera, or the way to it.
    func figure(camera: String) -> HTML {
        guard let taken = cameras[camera] else { return "" }
        let address = camera.isEmpty ? "/latest.jpg" : "/latest/\(Target.encode(camera)).jpg"
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
    let updated: Timestamp?
    let now: Timestamp

    private func address(_ name: String?) -> String { name.map { "/live/\(Target.encode($0))/" } ?? "/live/" }

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
        let playlist = "\(address(camera))hls/\(PictureFiles.playlist)"
        let age = updated.map { Int((now.milliseconds - $0.milliseconds) / 1000) }
        let note =
            switch age {
            case nil: "There is no stream yet: the relay writes one with STREAM_MODE=hls."
            case let age? where age > 30: "The stream stopped \(inWords(age)) ago."
            default: ""
            }
        return Page(
            path: "/live/", title: "Live", icon: Page.icon(colour: "566069"), links: PictureLinks.all,
            refreshSeconds: nil,
            main: """
                <h1>Live</h1>
                \(choice)
                <div class="card view">
                <video controls autoplay muted playsinline src="\(playlist)" aria-label="Live view"></video>
                <p id="note" role="status">\(note)</p>
                <p>For players: <a href="\(playlist)">the stream’s address</a></p>
                </div>
                """,
            script: Assets.live)
    }
}

/// The page at `/recordings/`.
struct RecordingsPage {
    let recordings: [PictureFiles.Recording]

    var page: Page {
        let items = recordings.map { recording -> HTML in
            let path = recording.names.map(Target.encode).joined(separator: "/")
            return """
                <li><a href="/recordings/\(path)">\(recording.names.joined(separator: "/").printable())</a>\
                <span>\(.time(recording.modified)) · \(size(Double(recording.size)))</span></li>
                """
        }
        let list: HTML =
            items.isEmpty
            ? "<p>There are none yet: the relay makes them with STREAM_MODE=record.</p>"
            : "<ul class=\"card files\">\(items)</ul>"
        let note: HTML =
            items.count == PictureFiles.listed
            ? "<p class=\"end\">The newest \(items.count) are listed.</p>" : ""
        return Page(
            path: "/recordings/", title: "Recordings", icon: Page.icon(colour: "566069"),
            links: PictureLinks.all,
            refreshSeconds: nil,
            main: """
                <h1>Recordings</h1>
                \(list)
                \(note)
                """)
    }
}
