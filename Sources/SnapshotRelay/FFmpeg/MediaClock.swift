import SnapshotBase

/// Whether the camera's timestamps go on as time does. When its clock is set they jump, and with them the times in the HLS
/// list and where recordings are cut.
struct MediaClock: Sendable {
    /// What a line that stood still may bring at once is no jump.
    let tolerance: Duration
    private var last: (media: Duration, at: Uptime)?

    init(tolerance: Duration) { self.tolerance = tolerance }

    /// - Parameter media: how far it has come; called about once a second while it goes on.
    mutating func hasJumped(to media: Duration, now: Uptime) -> Bool {
        defer { last = (media, now) }
        guard let last else { return false }
        let jump = (media - last.media) - (now - last.at)
        return jump > tolerance || jump < .zero - tolerance
    }
}
