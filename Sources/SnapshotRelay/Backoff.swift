import SnapshotBase

/// How long to wait before each next try: longer every time, up to a bound.
struct Backoff: Sendable {
    /// What may heal by itself is tried again after a second, then after up to a minute.
    static let retry = Backoff(from: .seconds(1), to: .seconds(60))
    /// What needs a person is tried again after ten minutes, then after up to six hours.
    static let refusal = Backoff(from: .seconds(600), to: .seconds(21600))
    /// A program that lends keys may lack a network alone.
    static let lender = Backoff(from: .seconds(60), to: .seconds(600))

    let first: Duration
    let longest: Duration
    private var coming: Duration

    private init(from first: Duration, to longest: Duration) {
        self.first = first
        self.longest = longest
        coming = first
    }

    mutating func next() -> Duration {
        defer { coming = min(coming * 2, longest) }
        return coming
    }

    /// After an outage that is no longer than this, media has to flow within the stall timeout and five seconds.
    static let shortOutage: Duration = .seconds(120)

    /// Not long, as long as the outage is short.
    /// - Parameter lastGood: when all was well.
    mutating func next(since lastGood: Uptime?, now: Uptime, stallTimeout: Duration) -> Duration {
        let full = next()
        guard let lastGood, now - lastGood <= Self.shortOutage else { return full }
        // The other half of the time is for a try that is under way when the outage ends, and leads nowhere.
        return min(full, max(.seconds(2), stallTimeout / 2))
    }

    mutating func reset() { coming = first }
}
