import SnapshotBase
import SnapshotState

/// The page at `/`: for each camera, the worst first, its health in words, charts and figures.
struct StatusPage {
    let report: HealthReport
    let statePath: String
    let now: Now
    let board: Board
    /// The latest pictures by camera; empty unless `view` is `.pictures`.
    let pictures: [String: LatestPicture]
    let view: PictureGate.View
    /// What is wrong with the web front's own settings.
    var settingsFailure: String?

    /// All cameras, the worst first.
    private var cameras: [(key: String, health: Health)] {
        report.cameras.entries.sorted { ($1.value.status, $0.name) < ($0.value.status, $1.name) }.map {
            ($0.name, $0.value)
        }
    }

    var page: Page {
        let cameras = cameras
        let isOne = cameras.count == 1
        let name = isOne ? cameras.first.map { title($0.key, $0.health) } ?? "Camera" : "Cameras"
        let status = report.worst.status
        return Page(
            path: "/", title: "\(name): \(status.rawValue)", icon: status.icon,
            links: report.links(for: view),
            refreshSeconds: Int(min(max(report.worst.intervalSeconds, 5), 60)),
            main: """
                <h1>\(name)</h1>
                \(notices)
                \(isOne ? "" : overview(cameras))
                \(cameras.enumerated().map { section($0, $1.key, $1.health, isOne: isOne) })
                \(isOne ? nil : host)
                <p class="end">\(.time(now.wall)) · snapshot \(snapshotVersion) · <a href="health">health</a> · \
                <a href="metrics">metrics</a>\(video)</p>
                """)
    }

    private var host: HTML { "<dl class=\"facts host\">\(board.figure)</dl>" }

    /// A link to the page that explains how to get video, where there is none.
    private var video: HTML {
        view == .nothing || report.hasRelay(for: "hls") ? "" : " · <a href=\"live/\">live video</a>"
    }

    private var notices: HTML {
        if let settingsFailure {
            return """
                <ul class="reasons"><li class="degraded"><strong>Pictures are not shown.</strong> \(settingsFailure)</li></ul>
                """
        }
        return view == .links ? "<p class=\"card\"><a href=\"./\">Enter the WEB_TOKEN</a> to see pictures.</p>" : ""
    }

    private func title(_ key: String, _ health: Health) -> String {
        let name = report.name(key, health).printable(limit: 64)
        return name.isEmpty ? "Camera" : name
    }

    private func figure(_ key: String, _ health: Health) -> PictureFigure? {
        pictures[key].map {
            PictureFigure(camera: key, latest: $0, now: now.wall, intervalSeconds: health.intervalSeconds)
        }
    }

    private func overview(_ cameras: [(key: String, health: Health)]) -> HTML {
        let items = cameras.enumerated().map { index, camera -> HTML in
            let figure = figure(camera.key, camera.health)
            let thumbnail = figure?.thumbnail ?? "<span class=\"none\">No picture yet</span>"
            let time: HTML = figure?.time.map { "<span class=\"when\">\($0)</span>" } ?? ""
            return """
                <li class="card \(camera.health.status.rawValue)"><a href="#camera-\(index)">\
                <span class="thumbnail">\(thumbnail)</span>\
                <span class="gist">\(camera.health.status.sign)<span><strong>\(title(camera.key, camera.health))</strong> \
                <span class="status \(camera.health.status.rawValue)">\(camera.health.status.word)</span>\
                <span class="why">\(camera.health.headline.text.sentence)</span>\(time)</span></span></a></li>
                """
        }
        return "<ul class=\"overview\(pictures.isEmpty ? "" : " pictured")\">\(items)</ul>"
    }

    private func section(_ index: Int, _ key: String, _ health: Health, isOne: Bool) -> HTML {
        let path = key.isEmpty ? statePath : statePath + "/" + key
        let history = StateRing(reading: path, all: true).history
        let heading: HTML = isOne ? "" : "<h2>\(title(key, health))</h2>"
        let level = isOne ? 2 : 3
        let charts = history.last.map { newest in
            [LastRuns(history).html(level: level), Hours(newest.hours, now: now.wall).html(level: level)]
        }
        return """
            <section id="camera-\(index)" aria-label="\(title(key, health))">
            \(heading)
            \(HeadlineBlock(health: health, hasRun: !history.isEmpty).html)
            \(figure(key, health)?.html)
            \(charts ?? [])
            <h\(level) class="unseen">Figures</h\(level)>
            \(Facts(health: health, newest: history.last, disk: Disk(holding: path), now: now, host: isOne ? board.figure : nil).html)
            </section>
            """
    }
}

extension HealthReport {
    /// Whether any camera's relay has this mode.
    func hasRelay(for mode: String) -> Bool {
        cameras.entries.contains { $0.value.relay?.modes.contains(mode) == true }
    }

    /// The pages of the navigation: those that have something to show.
    /// - Parameter present: the current page, which is always among them.
    func links(for view: PictureGate.View, present: String = "/") -> [(String, String)] {
        guard view != .nothing else { return [] }
        let all = [("/live/", "Live", "hls"), ("/recordings/", "Recordings", "record")]
        return all.filter { $0.0 == present || hasRelay(for: $0.2) }.map { ($0.0, $0.1) }
    }
}
