import SnapshotBase

/// Detects an output folder that no longer grows while media flows. ffmpeg continues without an output that has failed,
/// which protects the others, but it never resumes the failed one.
struct FolderWatch: Sendable {
    enum Verdict: Equatable, Sendable {
        case fine
        /// A trouble that only a person can repair.
        case trouble(FolderTrouble)
        /// A restart of ffmpeg would make it write again.
        case restart
    }

    /// The expected interval between growths, by the settings.
    private let segmentTime: Duration
    private let stallTimeout: Duration
    private var lastLook: Uptime?
    /// How long media has flowed since the last growth.
    private var idle = Duration.zero
    /// How long media has flowed since the last growth or trouble.
    private var quiet = Duration.zero
    /// The longest observed interval between growths; nil before the second growth.
    private var usual: Duration?
    private var hasGrown = false
    private var hadTrouble = false

    /// Some cameras send a key frame only every minute while nothing moves, and segments end only at key frames.
    private static let longestWait = Duration.seconds(120)

    init(segmentTime: Duration, stallTimeout: Duration) {
        self.segmentTime = segmentTime
        self.stallTimeout = stallTimeout
    }

    /// A run of ffmpeg begins.
    mutating func begin() {
        lastLook = nil
        (idle, quiet) = (.zero, .zero)
        (hasGrown, hadTrouble) = (false, false)
    }

    /// Called about once a second while media flows; returns nil while there is nothing to report. `grew`: whether the
    /// output has grown since the last call. `trouble` returns what is wrong with the folder; `isOverdue` says that the
    /// output should have grown by now.
    mutating func look(
        now: Uptime, grew: Bool, trouble: (_ isOverdue: Bool) -> FolderTrouble?
    ) -> Verdict? {
        // Time in which no media flowed doesn't count.
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
        // An output that has never grown in this run wouldn't grow after a restart either.
        return hasGrown ? beginAnew() : .trouble(.stuck)
    }

    private mutating func beginAnew() -> Verdict {
        (idle, quiet) = (.zero, .zero)
        return .restart
    }
}
