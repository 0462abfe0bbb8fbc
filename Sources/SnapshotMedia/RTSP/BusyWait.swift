import SnapshotBase

/// A server that has no session left is asked again after a while: the one before may just not be over there yet.
struct BusyWait {
    private static let pause = Duration.seconds(1)
    private static let longest = Duration.seconds(4)

    private let timeout: Duration
    private var deadline: Deadline?
    /// When to ask again; nil where that isn't due.
    var until: Deadline?

    /// - Parameter timeout: of whoever waits for the answer.
    init(timeout: Duration) { self.timeout = min(Self.longest, timeout / 2) }

    var isOver: Bool { until?.hasPassed == true }

    /// - Returns: whether it is worth while.
    mutating func again() -> Bool {
        let end = deadline ?? .after(timeout)
        deadline = end
        guard !end.hasPassed else { return false }
        until = .after(Self.pause)
        return true
    }
}
