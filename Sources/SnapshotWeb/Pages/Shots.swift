import SnapshotBase
import SnapshotState

/// The last runs as a strip of bars: how long camera and store took, and how each run ended.
struct Shots {
    private struct Shot {
        let camera: Double
        let store: Double
        let result: Outcome.Result
        let title: String
        var total: Double { camera + store }
        var isStored: Bool { result == .stored }
    }

    private let shots: [Shot]
    private static let shown = 64

    /// - Parameter history: oldest first.
    init(_ history: [Record]) {
        shots = history.suffix(Self.shown).map { record in
            let outcome = record.outcome
            let camera = Double(max(0, outcome.cameraMilliseconds ?? 0))
            let store = Double(max(0, outcome.storeMilliseconds ?? 0))
            let moment = record.written.at
            var title =
                "\(Timestamp(iso8601: moment)?.localText ?? moment.printable(limit: 40)): \(Self.word(outcome.result))"
            if let code = outcome.code { title += " (\(code.rawValue.printable(limit: 60)))" }
            if camera > 0 { title += ", camera \(latency(camera))" }
            if store > 0 { title += ", store \(latency(store))" }
            return Shot(camera: camera, store: store, result: outcome.result, title: title)
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
        // Only stored and spooled shots are drawn to scale.
        let slowest = shots.filter { $0.isStored || $0.result == .spooled }.map(\.total).max() ?? 0
        let scale = Self.height / max(slowest, 1)
        let first = Self.shown - shots.count
        let bars = shots.enumerated().map { bar($1, x: Double(first + $0) * Self.width, scale: scale) }
        let gaps = (0..<first).map { index -> HTML in
            "<rect class=\"gap\" x=\"\(Double(index) * Self.width + 1)\" y=\"97\" width=\"8\" height=\"3\"/>"
        }
        return """
            <figure class="card">
            <figcaption><h\(level)>Last \(Self.shown) shots</h\(level)><p>\(summary)</p></figcaption>
            <svg class="strip" role="img" aria-label="\("Last shots: \(summary)")" viewBox="0 0 640 100" \
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

    private func bar(_ shot: Shot, x: Double, scale: Double) -> HTML {
        let x = x + 1
        let camera = shot.camera * scale
        let store = shot.store * scale
        let marks: HTML
        switch shot.result {
        case .stored, .spooled:
            let mark: HTML =
                shot.isStored ? "" : "<rect class=\"kept\" x=\"\(x)\" y=\"0\" width=\"8\" height=\"8\"/>"
            // A bar is at least two units high, so that the quickest shot is visible.
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
        return "<g><title>\(shot.title)</title>\(marks)</g>"
    }

    private var summary: String {
        guard !shots.isEmpty else { return "none yet" }
        let stored = shots.filter(\.isStored)
        let times = stored.map(\.total).sorted()
        var text = "\(stored.count) of \(shots.count) stored"
        if let slowest = times.last {
            text += ", usually \(latency(times[times.count / 2])), at most \(latency(slowest))"
        }
        return text
    }
}
