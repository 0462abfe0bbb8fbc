import SnapshotBase

/// The first thing that a person should read: how it is, or what is wrong and what to do about it.
package struct Headline: Sendable {
    /// A sentence without its full stop.
    package let text: String
    /// In Markdown; nil where there is nothing to do.
    package let remedy: String?
    /// The reasons that say no more than this.
    package let covered: Set<Health.Reason>
}

extension Health {
    package var headline: Headline {
        guard let worst = reasons.first(where: { $0.status == status }), status != .healthy else {
            return Headline(text: summary, remedy: nil, covered: [])
        }
        if let cause, worst.status == .degraded || cause.covered.contains(worst) || worst == .neverCaptured {
            return Headline(text: cause.text, remedy: cause.remedy, covered: cause.covered)
        }
        return Headline(text: sentence(worst), remedy: worst.remedy, covered: [worst])
    }

    /// What else is wrong, the worst first.
    package var furtherReasons: [Reason] {
        let covered = headline.covered
        return reasons.filter { !covered.contains($0) }.sorted { $0.status > $1.status }
    }

    /// What to do first, as a terminal shows it.
    var remedyText: String? { headline.remedy?.replacing("`", with: "") }
}

/// What a camera's runs come to, as people ask for it.
package struct WorkFigures: Sendable {
    /// The pictures taken of those that were due in the last 24 hours, or since it began.
    package let lastDay: Coverage?
    /// The same for as many of the last 30 days as are known, today left out.
    package let lastMonth: (share: Double, days: Int)?
    /// At this interval, by the size of the last pictures.
    package let picturesADay: Int
    package let bytesADay: Int?
    /// Where pictures go; never a secret.
    package let place: String?
    /// Seconds until the next run; negative where it is overdue.
    package let nextSeconds: Double

    init(_ record: Record, interval: Double, now: Now) {
        lastDay = Coverage(lastDayOf: record.hours, interval: interval, now: now.wall)
        lastMonth = record.days?.mean
        picturesADay = Int(bounded: 86400 / interval)
        let sizes = record.pictures.sizes.map { Double(max(0, $0)) }
        bytesADay =
            sizes.isEmpty ? nil : Int(bounded: sizes.reduce(0, +) / Double(sizes.count) * 86400 / interval)
        place = record.place
        if let due = record.due {
            nextSeconds = due.delaySeconds - now.age(of: due.since, recordBoot: record.boot)
        } else {
            nextSeconds = interval - now.age(of: record.written, recordBoot: record.boot)
        }
    }

    /// `in 7 s`, `now`, `overdue by 3 min`
    package func nextInWords(interval: Double) -> String {
        let seconds = Int(min(max(nextSeconds, -1e12), 1e12).rounded())
        // A run takes its time, and systemd its own.
        if seconds > 0 { return "in \(inWords(seconds))" }
        return Double(-seconds) <= max(5, interval) ? "now" : "overdue by \(inWords(-seconds))"
    }
}

extension Health {
    /// The figures of `work` in words, as the terminal and the page show them: what it is, its value, a remark.
    package var workInWords: [(name: String, value: String, remark: String)] {
        guard let work else { return [] }
        var lines: [(String, String, String)] = []
        if let day = work.lastDay {
            let span = day.hours >= 24 ? "24 h" : "\(day.hours) h"
            lines.append(
                ("Uptime \(span)", percent(day.share), "\(grouped(day.taken)) of \(counted(day.due, "picture")) taken"))
        }
        if let month = work.lastMonth {
            lines.append(("Uptime \(month.days) d", percent(month.share), "of the pictures that were due"))
        }
        let size = work.bytesADay.map { sizeText($0) }
        lines.append(("A day", counted(work.picturesADay, "picture"), size.map { "about \($0)" } ?? ""))
        if let place = work.place { lines.append(("Goes to", place.printable(limit: 200), "")) }
        let every = "one is due every \(inWords(Int(max(1, intervalSeconds.rounded()))))"
        lines.append(("Next", work.nextInWords(interval: intervalSeconds), every))
        return lines
    }
}

/// `99.8 %`; 100 only where nothing is missing.
func percent(_ share: Double) -> String {
    let tenths = Int(min(max(share, 0), 1) * 1000)
    return tenths == 1000 ? "100 %" : "\(tenths / 10).\(tenths % 10) %"
}
