import SnapshotBase

/// The first line for a user: that all is well, or what is wrong and what to do about it.
package struct Headline: Sendable {
    /// A sentence without its full stop.
    package let text: String
    /// What to do, in Markdown; nil if nothing needs to be done.
    package let remedy: String?
    /// The reasons that this text makes redundant.
    package let explained: [Health.Reason]
}

extension Health {
    package var headline: Headline {
        guard let worst = reasons.first(where: { $0.status == status }), status != .healthy else {
            return Headline(text: summary, remedy: nil, explained: [])
        }
        if let cause, worst.status == .degraded || cause.explained.contains(worst) || worst == .neverCaptured {
            return Headline(text: cause.text, remedy: named(cause.remedy), explained: cause.explained)
        }
        return Headline(text: sentence(worst), remedy: named(worst.remedy), explained: [worst])
    }

    /// The reasons that the headline does not explain, the worst first.
    package var furtherReasons: [Reason] {
        let explained = headline.explained
        return reasons.filter { !explained.contains($0) }.sorted { $0.status > $1.status }
    }

    /// The text of a remedy with this camera's settings file and units.
    package func named(_ remedy: String) -> String {
        guard let instance else { return remedy }
        return [
            ("snapshot check", "snapshot check --config /etc/snapshot/\(instance).env"),
            ("snapshot drain", "snapshot drain --config /etc/snapshot/\(instance).env"),
            ("snapshot capture", "snapshot capture --config /etc/snapshot/\(instance).env"),
            ("snapshot setup", "snapshot setup --instance \(instance)"),
            ("snapshot.timer", "snapshot@\(instance).timer"), ("snapshot-relay", "snapshot-relay@\(instance)"),
        ].reduce(remedy) { $0.replacing($1.0, with: $1.1) }
    }

    /// The remedy as plain text for a terminal.
    var remedyText: String? { headline.remedy?.filter { $0 != "`" } }
}

/// Summary figures of a camera's runs.
package struct WorkFigures: Sendable {
    /// Pictures taken and due in the last 24 hours, or since the first run.
    package let lastDay: Coverage?
    /// The mean daily share of due pictures that were taken, over the last 30 days or fewer before today.
    package let lastMonth: (share: Double, days: Int)?
    /// Pictures a day at the current interval; `bytesADay` uses the average size of the last pictures.
    package let picturesADay: Int
    package let bytesADay: Int?
    /// The store's address; never a secret.
    package let storeAddress: String?
    /// Seconds until the next run; negative if it is overdue.
    package let nextSeconds: Double

    init(_ record: Record, interval: Double, now: Now) {
        lastDay = Coverage(lastDayOf: record.hours, interval: interval, now: now.wall)
        lastMonth = record.days?.mean
        picturesADay = Int(bounded: 86400 / interval)
        let sizes = record.pictures.sizes.map { Double(max(0, $0)) }
        bytesADay =
            sizes.isEmpty ? nil : Int(bounded: sizes.reduce(0, +) / Double(sizes.count) * 86400 / interval)
        storeAddress = record.storeAddress
        if let postponement = record.postponement {
            nextSeconds = postponement.delaySeconds - now.age(of: postponement.since, recordBoot: record.boot)
        } else {
            nextSeconds = interval - now.age(of: record.written, recordBoot: record.boot)
        }
    }

    /// When the next run is due: `in 7 s`, `now` or `overdue by 3 min`.
    package func nextInWords(interval: Double) -> String {
        let seconds = Int(min(max(nextSeconds, -1e12), 1e12).rounded())
        // A run takes a while, and systemd's timer is not exact.
        if seconds > 0 { return "in \(inWords(seconds))" }
        return Double(-seconds) <= max(5, interval) ? "now" : "overdue by \(inWords(-seconds))"
    }
}

extension Health {
    /// The figures in `work` in words, for the terminal and the status page: name, value and remark.
    package var workInWords: [(name: String, value: String, remark: String)] {
        guard let work else { return [] }
        var lines: [(String, String, String)] = []
        if let day = work.lastDay {
            let span = day.hours >= 24 ? "24 h" : "\(day.hours) h"
            lines.append(
                ("Uptime \(span)", percent(day.share), "\(grouped(day.taken)) of \(counted(day.due, "picture")) due"))
        }
        if let month = work.lastMonth {
            lines.append(("Uptime \(month.days) d", percent(month.share), "of the pictures due"))
        }
        let size = work.bytesADay.map { sizeText($0) }
        lines.append(("A day", counted(work.picturesADay, "picture"), size.map { "about \($0)" } ?? ""))
        if let address = work.storeAddress { lines.append(("Store", address.printable(limit: 200), "")) }
        let every = "one is due every \(inWords(Int(max(1, intervalSeconds.rounded()))))"
        lines.append(("Next", work.nextInWords(interval: intervalSeconds), every))
        return lines
    }
}

/// A percentage such as `99.8 %`, rounded down so that 100 means complete.
func percent(_ share: Double) -> String {
    let tenths = Int(min(max(share, 0), 1) * 1000)
    return tenths == 1000 ? "100 %" : "\(tenths / 10).\(tenths % 10) %"
}
