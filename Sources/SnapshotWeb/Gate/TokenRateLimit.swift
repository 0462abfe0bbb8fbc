import NIOCore

/// Limits the rate of wrong tokens. A source may send `free` of them at once and then one every `secondsBetween`. All
/// sources share a larger allowance; once it is used up, only sources that have sent the right token before may try.
/// A request over the limit is refused at once, without a look at its token.
struct TokenRateLimit {
    /// A rate limit as a bucket: up to `most` at once, refilled by `perSecond`.
    private struct Allowance {
        let most: Double
        let perSecond: Double
        private var left: Double
        private var at: NIODeadline

        init(most: Double, perSecond: Double, now: NIODeadline) {
            (self.most, self.perSecond, left, at) = (most, perSecond, most, now)
        }

        func left(now: NIODeadline) -> Double {
            min(most, left + Double((now - at).nanoseconds) / 1e9 * perSecond)
        }

        mutating func use(now: NIODeadline) {
            left = max(0, self.left(now: now) - 1)
            at = now
        }
    }

    static let free = 10
    static let freeInAll = 200
    static let secondsBetween = 6
    private static let inAllPerSecond = 10.0
    /// The most sources of wrong tokens that are remembered, and the most sources of the right token.
    static let remembered = 1024

    private var all: Allowance
    private var sources: [ClientNetwork: Allowance] = [:]
    private var trusted: [ClientNetwork: NIODeadline] = [:]

    init(now: NIODeadline) {
        all = Allowance(most: Double(Self.freeInAll), perSecond: Self.inAllPerSecond, now: now)
    }

    /// Whether a token from `source` is compared at all.
    func mayTry(_ source: ClientNetwork, now: NIODeadline) -> Bool {
        if let own = sources[source], own.left(now: now) < 1 { return false }
        return trusted[source] != nil || all.left(now: now) >= 1
    }

    mutating func failed(_ source: ClientNetwork, now: NIODeadline) {
        all.use(now: now)
        if sources[source] == nil, sources.count >= Self.remembered { removeLeastActive(now: now) }
        var own =
            sources[source] ?? Allowance(most: Double(Self.free), perSecond: 1 / Double(Self.secondsBetween), now: now)
        own.use(now: now)
        sources[source] = own
    }

    mutating func succeeded(_ source: ClientNetwork, now: NIODeadline) {
        if trusted[source] == nil, trusted.count >= Self.remembered,
            let oldest = trusted.min(by: { $0.value < $1.value })
        {
            trusted[oldest.key] = nil
        }
        trusted[source] = now
    }

    private mutating func removeLeastActive(now: NIODeadline) {
        sources = sources.filter { $0.value.left(now: now) < $0.value.most }
        guard sources.count >= Self.remembered,
            let least = sources.max(by: { $0.value.left(now: now) < $1.value.left(now: now) })
        else { return }
        sources[least.key] = nil
    }

    var count: Int { sources.count + trusted.count }
}
