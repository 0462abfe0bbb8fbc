import SnapshotBase

/// How many of the pictures that were due were taken.
package struct Coverage: Equatable, Sendable {
    package var taken: Int
    package var due: Int
    /// How many whole hours it is about.
    package var hours: Int

    package var share: Double { due > 0 ? Double(taken) / Double(due) : 0 }

    /// - Parameters:
    ///   - known: the hours that are known, oldest first. One that is missing between them had no run at all.
    ///   - range: the hours it is about; those before the first that is known whole don't count.
    /// - Returns: nil where none counts.
    init?(of known: [Hour], in range: Range<Int>, interval: Double) {
        // The very first hour began somewhere in its middle.
        guard let first = known.first.map({ known.count < Hour.kept ? $0.hour.adding(1) : $0.hour }),
            max(first, range.lowerBound) < range.upperBound, interval > 0
        else { return nil }
        let span = max(first, range.lowerBound)..<range.upperBound
        let present = known.filter { span.contains($0.hour) }
        let runs = present.map { max($0.uploads.adding($0.failures), $0.captures) }
        // Where the interval has been changed, what was usual counts.
        let usual = runs.isEmpty ? Double.infinity : Double(runs.sorted()[runs.count / 2])
        let expected = Int(bounded: min(3600 / interval, max(usual, 1)) * Double(span.count))
        let made = runs.reduce(0) { $0.adding($1) }
        let captures = present.reduce(0) { $0.adding(max(0, $1.captures)) }
        // One more or less is where the hours are cut.
        due = made < expected - 1 ? expected : made
        hours = span.count
        taken = min(captures, due)
    }

    /// Of the last 24 whole hours.
    init?(lastDayOf known: [Hour], interval: Double, now: Timestamp) {
        let present = Int(now.milliseconds / 3_600_000)
        self.init(of: known, in: (present - 24)..<present, interval: interval)
    }
}

/// The share of pictures taken on each of the last days, UTC, in ten-thousandths, oldest first.
package struct DayShares: JSONMapped, Equatable, Sendable {
    /// The last one's number since 1970.
    package var last = 0
    package var shares: [Int] = []

    package static let kept = 30

    package init() {}

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("last", &last)
        fields.field("shares", &shares)
    }

    /// Adds a day; those between the last one and it had no run.
    mutating func note(day: Int, share: Double) {
        // A clock that was wrong may have told of days to come.
        if last > day || last < 0 { shares = [] }
        guard shares.isEmpty || day > last else { return }
        let gap = shares.isEmpty ? 0 : min(day - last - 1, Self.kept)
        shares += Array(repeating: 0, count: gap) + [Int(min(max(share, 0), 1) * 10_000)]
        shares.removeFirst(max(0, shares.count - Self.kept))
        last = day
    }

    /// Their mean, and how many they are; nil where there is none.
    var mean: (share: Double, days: Int)? {
        guard !shares.isEmpty else { return nil }
        let sum = shares.reduce(0.0) { $0 + Double(min(max($1, 0), 10_000)) }
        return (sum / Double(shares.count) / 10_000, shares.count)
    }
}

extension Record {
    /// To be called before the first run of an hour is counted: keeps the share of a day that has ended.
    mutating func noteDay(before hour: Int) {
        guard let ended = hours.last.map({ $0.hour / 24 }), hour / 24 > ended,
            let coverage = Coverage(
                of: hours, in: (ended * 24)..<(ended * 24 + 24), interval: intervalSeconds)
        else { return }
        var shares = days ?? DayShares()
        shares.note(day: ended, share: coverage.share)
        days = shares
    }
}
