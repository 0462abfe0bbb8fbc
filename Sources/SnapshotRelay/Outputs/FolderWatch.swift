import SnapshotBase

/// Detects an output folder that no longer grows while media flows. When one output has failed, ffmpeg goes on with the
/// others and may never resume that one; a restart then helps.
struct FolderWatch: Sendable {
    enum Verdict: Equatable, Sendable {
        case fine
        /// A trouble that a restart of ffmpeg wouldn't end.
        case trouble(FolderTrouble)
        /// A restart of ffmpeg would make the output grow again.
        case restart
    }

    /// The expected interval between growths, by the settings.
    private let segmentTime: Duration
    private let stallTimeout: Duration
    private var lastCheck: Uptime?
    /// How long media has flowed since the last growth.
    private var sinceGrowth = Duration.zero
    /// How long media has flowed since the last growth or trouble.
    private var sinceGrowthOrTrouble = Duration.zero
    /// The longest observed interval between growths; nil before the second growth.
    private var longestInterval: Duration?
    private var hasGrown = false
    private var hadTrouble = false

    /// How long an output may go without growth, if the settings or the expected interval don't allow more. Some
    /// cameras send a key frame only every minute while nothing moves, and segments end only at key frames.
    private static let longestWait = Duration.seconds(120)

    init(segmentTime: Duration, stallTimeout: Duration) {
        self.segmentTime = segmentTime
        self.stallTimeout = stallTimeout
    }

    /// A run of ffmpeg begins.
    mutating func begin() {
        lastCheck = nil
        (sinceGrowth, sinceGrowthOrTrouble) = (.zero, .zero)
        (hasGrown, hadTrouble) = (false, false)
    }

    /// Called about once a second while media flows. `grew` says whether the output has grown since the last call,
    /// `trouble` what is wrong with the folder. Its argument `isOverdue` says that the output should have grown by now.
    /// - Returns: nil while there is nothing to report.
    mutating func check(
        now: Uptime, grew: Bool, trouble: (_ isOverdue: Bool) -> FolderTrouble?
    ) -> Verdict? {
        // Time in which no media flowed doesn't count.
        let step = min(lastCheck.map { now - $0 } ?? .zero, .seconds(2))
        lastCheck = now
        sinceGrowth += step
        guard !grew else {
            if hasGrown { longestInterval = max(longestInterval ?? .zero, sinceGrowth) }
            (sinceGrowth, sinceGrowthOrTrouble) = (.zero, .zero)
            (hasGrown, hadTrouble) = (true, false)
            return .fine
        }
        guard sinceGrowth >= .seconds(5) else { return nil }
        let expected = longestInterval ?? segmentTime + .seconds(10)
        if let trouble = trouble(hadTrouble || sinceGrowth >= expected + .seconds(5)) {
            hadTrouble = true
            sinceGrowthOrTrouble = .zero
            return .trouble(trouble)
        }
        sinceGrowthOrTrouble += step
        if hadTrouble { return sinceGrowthOrTrouble > expected * 2 + .seconds(2) ? requestRestart() : nil }
        guard sinceGrowth > max(Self.longestWait, expected * 2 + stallTimeout) else { return nil }
        // An output that has never grown in this run wouldn't grow after a restart either.
        return hasGrown ? requestRestart() : .trouble(.stuck)
    }

    private mutating func requestRestart() -> Verdict {
        (sinceGrowth, sinceGrowthOrTrouble) = (.zero, .zero)
        return .restart
    }
}
