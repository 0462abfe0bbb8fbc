import SnapshotBase

/// Whether an output that goes into a folder keeps up with the media. ffmpeg goes on without one that fails, and that is
/// as it should be for the others; but it doesn't come back to it either.
struct FolderWatch: Sendable {
    enum Verdict: Equatable, Sendable {
        case fine
        /// For people: nothing can be done from here.
        case trouble(FolderTrouble)
        /// A new ffmpeg would write again.
        case restart
    }

    /// How often it grows at least, as far as the settings tell.
    private let segmentTime: Duration
    private let stallTimeout: Duration
    private var lastLook: Uptime?
    /// How long media has been flowing since it grew.
    private var idle = Duration.zero
    /// … and since nothing was wrong with the folder.
    private var quiet = Duration.zero
    /// The longest that it took to grow.
    private var usual: Duration?
    private var hasGrown = false
    private var hadTrouble = false

    /// Some cameras send a key frame only every minute while nothing moves, and without one nothing is finished.
    private static let longestWait = Duration.seconds(120)

    init(segmentTime: Duration, stallTimeout: Duration) {
        self.segmentTime = segmentTime
        self.stallTimeout = stallTimeout
    }

    /// A new ffmpeg begins.
    mutating func begin() {
        lastLook = nil
        (idle, quiet) = (.zero, .zero)
        (hasGrown, hadTrouble) = (false, false)
    }

    /// Called about once a second while media flows. Nil where nothing new can be said.
    /// - Parameters:
    ///   - grew: since the last call.
    ///   - trouble: what is wrong with the folder; told whether it should have grown by now.
    mutating func look(
        now: Uptime, grew: Bool, trouble: (_ isOverdue: Bool) -> FolderTrouble?
    ) -> Verdict? {
        // What didn't flow in between doesn't count.
        let step = min(lastLook.map { now - $0 } ?? .zero, .seconds(2))
        lastLook = now
        idle += step
        guard !grew else {
            if hasGrown { usual = max(usual ?? .zero, idle) }
            (idle, quiet) = (.zero, .zero)
            (hasGrown, hadTrouble) = (true, false)
            return .fine
        }
        guard idle >= .seconds(5) else { return nil }
        let usual = usual ?? segmentTime + .seconds(10)
        if let trouble = trouble(hadTrouble || idle >= usual + .seconds(5)) {
            hadTrouble = true
            quiet = .zero
            return .trouble(trouble)
        }
        quiet += step
        if hadTrouble { return quiet > usual * 2 + .seconds(2) ? beginAnew() : nil }
        guard idle > max(Self.longestWait, usual * 2 + stallTimeout) else { return nil }
        // One that never wrote would not after the next start either.
        return hasGrown ? beginAnew() : .trouble(.stuck)
    }

    private mutating func beginAnew() -> Verdict {
        (idle, quiet) = (.zero, .zero)
        return .restart
    }
}
