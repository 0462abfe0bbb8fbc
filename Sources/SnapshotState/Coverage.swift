import SnapshotBase

/// How many of the pictures that were due were taken.
package struct Coverage: Equatable, Sendable {
    package var taken: Int
    package var due: Int
    /// The number of whole hours covered.
    package var hours: Int

    package var share: Double { due > 0 ? Double(taken) / Double(due) : 0 }

    /// The coverage of the hours in `range` without those before the first complete recorded hour; nil if that leaves
    /// none. `known` are the recorded hours, oldest first: a gap between them had no runs at all. `interval` is in
    /// seconds.
    init?(of known: [Hour], in range: Range<Int>, interval: Double) {
        // The very first hour is incomplete, unless older hours have already been removed.
        guard let first = known.first.map({ known.count < Hour.kept ? $0.hour.adding(1) : $0.hour }),
            max(first, range.lowerBound) < range.upperBound, interval > 0
        else { return nil }
        let span = max(first, range.lowerBound)..<range.upperBound
        let present = known.filter { span.contains($0.hour) }
        let runs = present.map { max($0.uploads.adding($0.failures), $0.captures) }
        // If the interval was changed, the usual number of runs limits what is expected.
        let usual = runs.isEmpty ? Double.infinity : Double(runs.sorted()[runs.count / 2])
        let expected = Int(bounded: min(3600 / interval, max(usual, 1)) * Double(span.count))
        let made = runs.reduce(0) { $0.adding($1) }
        let captures = present.reduce(0) { $0.adding(max(0, $1.captures)) }
        // A difference of one results from where the hour boundaries fall.
        due = made < expected - 1 ? expected : made
        hours = span.count
        taken = min(captures, due)
    }

    /// The coverage of the last 24 whole hours.
    init?(lastDayOf known: [Hour], interval: Double, now: Timestamp) {
        let present = Int(now.milliseconds / 3_600_000)
        self.init(of: known, in: (present - 24)..<present, interval: interval)
    }
}

/// The share of pictures taken on each of the last days, UTC, in ten-thousandths, oldest first.
package struct DayShares: JSONMapped, Equatable, Sendable {
    /// The last day, as days since 1970.
    package var last = 0
    package var shares: [Int] = []

    package static let kept = 30

    package init() {}

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("last", &last)
        fields.field("shares", &shares)
    }

    /// Adds a day; the days since the last one count as having no run.
    mutating func add(day: Int, share: Double) {
        // A wrong clock may have recorded days in the future.
        if last > day || last < 0 { shares = [] }
        guard shares.isEmpty || day > last else { return }
        let gap = shares.isEmpty ? 0 : min(day - last - 1, Self.kept)
        shares += Array(repeating: 0, count: gap) + [Int(min(max(share, 0), 1) * 10_000)]
        shares.removeFirst(max(0, shares.count - Self.kept))
        last = day
    }

    /// The mean share and the number of days; nil if there are none.
    var mean: (share: Double, days: Int)? {
        guard !shares.isEmpty else { return nil }
        let sum = shares.reduce(0.0) { $0 + Double(min(max($1, 0), 10_000)) }
        return (sum / Double(shares.count) / 10_000, shares.count)
    }
}

extension Record {
    /// Records the share of the last day if it has ended. Call this before counting the first run of an hour.
    mutating func noteDay(before hour: Int) {
        guard let ended = hours.last.map({ $0.hour / 24 }), hour / 24 > ended,
            let coverage = Coverage(
                of: hours, in: (ended * 24)..<(ended * 24 + 24), interval: intervalSeconds)
        else { return }
        var shares = days ?? DayShares()
        shares.add(day: ended, share: coverage.share)
        days = shares
    }
}
