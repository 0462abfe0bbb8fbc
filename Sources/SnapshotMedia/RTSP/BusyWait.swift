import SnapshotBase

/// A server that has no session left is asked again after a while: the one before may just not be over there yet.
struct BusyWait {
    private static let pause = Duration.seconds(1)
    private static let longest = Duration.seconds(4)

    private let patience: Duration
    private var deadline: Deadline?
    /// When to ask again; nil where that isn't due.
    var until: Deadline?

    /// - Parameter patience: of whoever waits for the answer.
    init(patience: Duration) { self.patience = min(Self.longest, patience / 2) }

    var isOver: Bool { until?.hasPassed == true }

    /// - Returns: whether it is worth while.
    mutating func again() -> Bool {
        let end = deadline ?? .after(patience)
        deadline = end
        guard !end.hasPassed else { return false }
        until = .after(Self.pause)
        return true
    }
}
