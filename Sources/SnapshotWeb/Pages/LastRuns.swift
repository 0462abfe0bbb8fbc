import SnapshotBase
import SnapshotState

/// The chart of the last runs, a bar for each: how long camera and store took, and how the run ended.
struct LastRuns {
    private struct Run {
        let camera: Double
        let store: Double
        let result: Outcome.Result
        let title: String
        var total: Double { camera + store }
        var isStored: Bool { result == .stored }
    }

    private let runs: [Run]
    private static let shown = 64

    /// - Parameter history: oldest first.
    init(_ history: [Record]) {
        runs = history.suffix(Self.shown).map { record in
            let outcome = record.outcome
            let camera = Double(max(0, outcome.cameraMilliseconds ?? 0))
            let store = Double(max(0, outcome.storeMilliseconds ?? 0))
            let moment = record.written.at
            var title =
                "\(Timestamp(iso8601: moment)?.localText ?? moment.printable(limit: 40)): \(Self.word(outcome.result))"
            if let code = outcome.code { title += " (\(code.rawValue.printable(limit: 60)))" }
            if camera > 0 { title += ", camera \(latency(camera))" }
            if store > 0 { title += ", store \(latency(store))" }
            return Run(camera: camera, store: store, result: outcome.result, title: title)
        }
    }

    private static func word(_ result: Outcome.Result) -> String {
        switch result {
        case .stored: "stored"
        case .spooled: "kept in the spool"
        case .captureFailed: "no picture"
        case .lost: "lost"
        case .skipped: "not tried, credentials were refused"
        case .unknown(let word): word.printable(limit: 40)
        case .none: "nothing done"
        }
    }

    private static let width = 10.0
    private static let height = 100.0

    /// - Parameter level: the level of its heading.
    func html(level: Int) -> HTML {
        // Only runs whose picture was stored or spooled are drawn to scale.
        let slowest = runs.filter { $0.isStored || $0.result == .spooled }.map(\.total).max() ?? 0
        let scale = Self.height / max(slowest, 1)
        let first = Self.shown - runs.count
        let bars = runs.enumerated().map { bar($1, x: Double(first + $0) * Self.width, scale: scale) }
        let gaps = (0..<first).map { index -> HTML in
            "<rect class=\"gap\" x=\"\(Double(index) * Self.width + 1)\" y=\"97\" width=\"8\" height=\"3\"/>"
        }
        return """
            <figure class="card">
            <figcaption><h\(level)>Last \(Self.shown) runs</h\(level)><p>\(summary)</p></figcaption>
            <svg class="strip" role="img" aria-label="\("Last runs: \(summary)")" viewBox="0 0 640 100" \
            preserveAspectRatio="none">\(gaps)\(bars)</svg>
            <p class="axis"><span>older</span><span>\(slowest > 0 ? "full height: \(latency(slowest))" : "")</span>\
            <span>now</span></p>
            <ul class="legend">
            <li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="camera" width="10" height="10"/></svg>camera</li>
            <li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="store" width="10" height="10"/></svg>store</li>
            <li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><path class="kept" d="M0 0h10v3H0z"/>\
            <rect class="camera" y="4" width="10" height="6"/></svg>kept in the spool</li>
            <li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><path class="failed" d="M2 0h6v6h-6zM2 8h6v2h-6z"/></svg>failed</li>
            </ul>
            </figure>
            """
    }

    private func bar(_ run: Run, x: Double, scale: Double) -> HTML {
        let x = x + 1
        let camera = run.camera * scale
        let store = run.store * scale
        let marks: HTML
        switch run.result {
        case .stored, .spooled:
            let mark: HTML =
                run.isStored ? "" : "<rect class=\"kept\" x=\"\(x)\" y=\"0\" width=\"8\" height=\"8\"/>"
            // A bar is at least two units high, so that the shortest one is visible.
            let least = max(0, 2 - camera - store)
            marks = """
                <rect class="camera" x="\(x)" y="\(Self.height - camera - least)" width="8" height="\(camera + least)"/>\
                <rect class="store" x="\(x)" y="\(Self.height - camera - store)" width="8" height="\(store)"/>\(mark)
                """
        case .captureFailed, .lost, .skipped:
            // An exclamation mark, so that a failure doesn't show by its colour alone.
            marks = "<path class=\"failed\" d=\"M\(x) 0h8v66h-8zM\(x) 78h8v22h-8z\"/>"
        case .none, .unknown:
            marks = "<rect class=\"gap\" x=\"\(x)\" y=\"97\" width=\"8\" height=\"3\"/>"
        }
        return "<g><title>\(run.title)</title>\(marks)</g>"
    }

    private var summary: String {
        guard !runs.isEmpty else { return "none yet" }
        let stored = runs.filter(\.isStored)
        let times = stored.map(\.total).sorted()
        var text = "\(stored.count) of \(runs.count) stored"
        if let slowest = times.last {
            text += ", usually \(latency(times[times.count / 2])), at most \(latency(slowest))"
        }
        return text
    }
}
