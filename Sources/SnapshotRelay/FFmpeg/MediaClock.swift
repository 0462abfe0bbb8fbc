import SnapshotBase

/// Detects when the camera's timestamps jump against real time, as when its clock is set. A jump makes the times in the
/// HLS playlist and the lengths of recordings wrong.
struct MediaClock: Sendable {
    /// A difference up to this is no jump: after a stall a connection may deliver that much media at once.
    let tolerance: Duration
    private var last: (media: Duration, at: Uptime)?

    init(tolerance: Duration) { self.tolerance = tolerance }

    /// Called about once a second while media flows.
    /// - Parameter media: the position of ffmpeg's output.
    mutating func hasJumped(to media: Duration, now: Uptime) -> Bool {
        defer { last = (media, now) }
        guard let last else { return false }
        let jump = (media - last.media) - (now - last.at)
        return jump > tolerance || jump < .zero - tolerance
    }
}
