/// How long to wait before each next try: longer every time, up to a bound.
struct Backoff: Sendable {
    /// What may heal by itself is tried again after a second, then after up to a minute.
    static let retry = Backoff(from: .seconds(1), to: .seconds(60))
    /// What needs a person is tried again after ten minutes, then after up to six hours.
    static let latch = Backoff(from: .seconds(600), to: .seconds(21600))

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

    mutating func reset() { coming = first }
}
