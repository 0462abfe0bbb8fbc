import SnapshotBase
import SnapshotState

/// The page at `/`: how everything is, in words, then in pictures, then in figures.
struct StatusPage {
    let report: HealthReport
    let statePath: String
    let now: Now
    let board: Board
    /// Links to pictures; nil where they are switched off.
    let pictures: PictureLinks?
    /// What is wrong with the front's own settings.
    var trouble: String?

    var page: Page {
        let cameras = report.cameras.sorted { $0.key < $1.key }
        let isOne = cameras.count == 1
        let name = isOne ? cameras.first.map { title($0.key, $0.value) } ?? "Camera" : "Cameras"
        let status = report.worst.status
        return Page(
            path: "/", title: "\(name): \(status.rawValue)", icon: status.icon,
            links: pictures == nil ? [] : PictureLinks.all,
            refreshSeconds: Int(min(max(report.worst.intervalSeconds, 5), 60)),
            main: """
                <h1>\(name)</h1>
                \(trouble.map { notice($0) })
                \(isOne ? "" : overview(cameras.map { ($0.key, $0.value) }))
                \(cameras.map { section($0.key, $0.value, isOne: isOne) })
                \(board.facts)
                <p class="end">\(.time(now.wall)) · snapshot \(snapshotVersion) · <a href="health">health</a> · \
                <a href="metrics">metrics</a></p>
                """)
    }

    private func notice(_ trouble: String) -> HTML {
        "<ul class=\"reasons\"><li class=\"degraded\"><strong>Pictures are not shown.</strong> \(trouble)</li></ul>"
    }

    private func title(_ key: String, _ health: Health) -> String {
        let name = report.name(key, health).printable(limit: 64)
        return name.isEmpty ? "Camera" : name
    }

    private func overview(_ cameras: [(key: String, health: Health)]) -> HTML {
        let items = cameras.enumerated().map { index, camera -> HTML in
            """
            <li class="card"><a href="#camera-\(index)">\(camera.health.status.sign)<span>\
            <strong>\(title(camera.key, camera.health))</strong> \(camera.health.status.word)</span></a></li>
            """
        }
        return "<ul class=\"overview\">\(items)</ul>"
    }

    private func section(_ key: String, _ health: Health, isOne: Bool) -> HTML {
        let path = key.isEmpty ? statePath : statePath + "/" + key
        let history = StateRing(reading: path, all: true).history
        let index = report.cameras.keys.sorted().firstIndex(of: key) ?? 0
        let heading: HTML = isOne ? "" : "<h2>\(title(key, health))</h2>"
        let level = isOne ? 2 : 3
        let charts = history.last.map { newest in
            [Shots(history).html(level: level), Hours(newest.hours, now: now.wall).html(level: level)]
        }
        return """
            <section id="camera-\(index)" aria-label="\(title(key, health))">
            \(heading)
            <div class="headline">\(health.status.sign)<div><p class="status \(health.status.rawValue)">\
            \(health.status.word)</p><p class="last">\(last(health))</p></div></div>
            \(reasons(health))
            \(pictures?.figure(camera: key))
            \(charts ?? [])
            <h\(level) class="unseen">Figures</h\(level)>
            \(Facts(health: health, newest: history.last, disk: Disk(holding: path), now: now).html)
            </section>
            """
    }

    private func last(_ health: Health) -> HTML {
        guard health.status != .healthy, let cause = health.cause else { return lastStored(health) }
        return "<strong>\(cause.text.sentence).</strong> \(lastStored(health))"
    }

    private func lastStored(_ health: Health) -> HTML {
        if health.isRelayAlone { return "\((health.flow ?? "no snapshots are taken here").sentence)" }
        guard let age = health.ageSeconds else { return "No snapshot has been stored yet" }
        return """
            Last snapshot stored <strong>\(inWords(age))</strong> ago, one is due every \
            \(inWords(Int(max(1, health.intervalSeconds.rounded()))))
            """
    }

    private func reasons(_ health: Health) -> HTML {
        guard !health.reasons.isEmpty else { return "" }
        let items = health.reasons.map { reason -> HTML in
            """
            <li class="\(reason.status.rawValue)"><strong>\(health.sentence(reason).sentence).</strong> \
            \(reason.advice)</li>
            """
        }
        return "<ul class=\"reasons\">\(items)</ul>"
    }
}
