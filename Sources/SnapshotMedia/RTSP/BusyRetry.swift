import SnapshotBase

/// Plans retries at a server that has no free session, since it may still be ending the previous one.
struct BusyRetry {
    private static let pause = Duration.seconds(1)
    private static let longest = Duration.seconds(4)

    private let timeout: Duration
    private var deadline: Deadline?
    /// When to send the request again; nil where no retry is planned.
    var next: Deadline?

    /// - Parameter timeout: how long ffmpeg waits for the response; retries end after half of it, or 4 s if that is
    ///   less.
    init(timeout: Duration) { self.timeout = min(Self.longest, timeout / 2) }

    /// Whether the request has to be sent again now.
    var isDue: Bool { next?.hasPassed == true }

    /// Plans the next retry.
    /// - Returns: false once the time for retries is over.
    mutating func planRetry() -> Bool {
        let end = deadline ?? .after(timeout)
        deadline = end
        guard !end.hasPassed else { return false }
        next = .after(Self.pause)
        return true
    }
}
