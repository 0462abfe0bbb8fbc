import SnapshotBase

/// Exponential backoff: the wait before each retry doubles, up to a bound.
struct Backoff: Sendable {
    /// For troubles that may end by themselves: from one second to one minute.
    static let retry = Backoff(from: .seconds(1), to: .seconds(60))
    /// For troubles that need a person, such as refused credentials: from ten minutes to six hours.
    static let holdOff = Backoff(from: .seconds(600), to: .seconds(21600))
    /// For a credential process that fails, perhaps only because the network is down: from one to ten minutes.
    static let credentialProcess = Backoff(from: .seconds(60), to: .seconds(600))

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

    /// The longest outage that counts as short. When such an outage ends, media must flow again within STALL_TIMEOUT
    /// plus 10 s.
    static let shortOutage: Duration = .seconds(120)

    /// The next wait; while the outage is short, at most half the stall timeout, or two seconds if that is longer.
    /// - Parameter lastGood: when it last worked; nil where it never did.
    mutating func next(since lastGood: Uptime?, now: Uptime, stallTimeout: Duration) -> Duration {
        let full = next()
        guard let lastGood, now - lastGood <= Self.shortOutage else { return full }
        // At most half of STALL_TIMEOUT, since the attempt that runs when the outage ends may still have to fail.
        return min(full, max(.seconds(2), stallTimeout / 2))
    }

    mutating func reset() { coming = first }
}
