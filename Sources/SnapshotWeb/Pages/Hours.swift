import SnapshotBase
import SnapshotState

/// The chart of the last 48 hours: captures and failures as columns, and below them how long uploads took.
struct Hours {
    private struct Column {
        var captures = 0.0
        var failures = 0.0
        /// Milliseconds of one upload on average; nil in an hour without any.
        var upload: Double?
    }

    private var columns = Array(repeating: Column(), count: Hour.kept)
    private let end: Timestamp

    /// - Parameter hours: in any order; those outside the last 48 are ignored.
    init(_ hours: [Hour], now: Timestamp) {
        let present = Int(now.milliseconds / 3_600_000)
        end = now
        for hour in hours where hour.hour > present - Hour.kept && hour.hour <= present {
            let column = Hour.kept - 1 - (present - hour.hour)
            columns[column].captures = Double(max(0, hour.captures))
            columns[column].failures = Double(max(0, hour.failures))
            if hour.uploads > 0 {
                columns[column].upload = Double(max(0, hour.uploadMilliseconds)) / Double(hour.uploads)
            }
        }
    }

    private static let width = 10.0

    /// - Parameter level: the level of its heading.
    func html(level: Int) -> HTML {
        let most = max(columns.map { max($0.captures, $0.failures) }.max() ?? 0, 1)
        let bars = columns.enumerated().map { index, column -> HTML in
            let x = Double(index) * Self.width
            let captures = column.captures / most * 100
            let failures = column.failures / most * 100
            return """
                <g><title>\(title(index, column))</title>\
                <rect class="hit" x="\(x)" y="0" width="10" height="100"/>\
                <rect class="captures" x="\(x + 1)" y="\(100 - captures)" width="8" height="\(captures)"/>\
                <rect class="failed" x="\(x + 3)" y="\(100 - failures)" width="4" height="\(failures)"/></g>
                """
        }
        return """
            <figure class="card">
            <figcaption><h\(level)>Last 48 hours</h\(level)><p>\(summary)</p></figcaption>
            <svg class="hours" role="img" aria-label="\("Captures, and runs that stored nothing, by the hour: \(summary)")" \
            viewBox="0 0 480 100" preserveAspectRatio="none">\(bars)</svg>
            \(latencies)
            <p class="axis"><span>\(clock(hoursAgo: 47))</span><span>\(clock(hoursAgo: 24))</span><span>now</span></p>
            <ul class="legend">
            <li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="captures" width="10" height="10"/></svg>\
            captures, at most \(grouped(Int(min(most, 1e9)))) an hour</li>
            <li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="failed" x="3" width="4" height="10"/></svg>stored nothing</li>
            <li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><path class="line" d="M0 8L4 3L10 5"/></svg>\
            upload time\(slowest > 0 ? ", at most \(latency(slowest))" : "")</li>
            </ul>
            </figure>
            """
    }

    private var slowest: Double { columns.compactMap(\.upload).max() ?? 0 }

    /// A line through the averages, broken where there were no uploads.
    private var latencies: HTML {
        let scale = 38 / max(slowest, 1)
        var path = ""
        var isDrawing = false
        for (index, column) in columns.enumerated() {
            guard let upload = column.upload else {
                isDrawing = false
                continue
            }
            let x = Double(index) * Self.width
            let y = HTML("\(39 - upload * scale)").markup
            // The line begins with a short stroke, so that an hour between two gaps is visible.
            path += isDrawing ? "L\(Int(x) + 5) \(y)" : "M\(Int(x) + 2) \(y)L\(Int(x) + 5) \(y)"
            isDrawing = true
        }
        let label =
            slowest > 0 ? "Upload time by the hour, at most \(latency(slowest))" : "No uploads in 48 hours"
        return """
            <svg class="latency" role="img" aria-label="\(label)" viewBox="0 0 480 40" preserveAspectRatio="none">\
            <path class="line" d="\(path)"/></svg>
            """
    }

    private func title(_ index: Int, _ column: Column) -> String {
        var text = "\(clock(hoursAgo: Hour.kept - 1 - index)): "
        text += "\(counted(Int(min(column.captures, 1e9)), "capture")), "
        text += "\(counted(Int(min(column.failures, 1e9)), "run")) that stored nothing"
        if let upload = column.upload { text += ", upload \(latency(upload))" }
        return text
    }

    private func clock(hoursAgo hours: Int) -> String {
        let moment = end.advanced(byMilliseconds: -Int64(hours) * 3_600_000)
        // Columns are hours of UTC, which don't begin at minute 0 in every time zone.
        let f = Timestamp(milliseconds: moment.milliseconds / 3_600_000 * 3_600_000).local.fields
        return "\(f.month)-\(f.day) \(f.hour):\(f.minute) \(moment.zone)"
    }

    private var summary: String {
        let captures = columns.reduce(0) { $0 + $1.captures }
        let failures = columns.reduce(0) { $0 + $1.failures }
        guard captures + failures > 0 else { return "nothing captured" }
        return counted(Int(min(captures, 1e12)), "capture") + ", "
            + "\(counted(Int(min(failures, 1e12)), "run")) that stored nothing"
    }
}
