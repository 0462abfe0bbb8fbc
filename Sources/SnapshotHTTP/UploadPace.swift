import SnapshotBase

/// Limits the rate of all uploads together. It blocks in libcurl's read callback, which delays all transfers of the
/// thread, as a shared limit should.
final class UploadPace {
    private let bytesPerSecond: Int
    private let stop: StopRequest
    private let clock: SystemClock
    /// The earliest time for the next piece.
    private var next: Uptime
    /// The total time for which transfers were delayed.
    private(set) var waited = Duration.zero

    init(bytesPerSecond: Int, _ context: ProcessContext) {
        self.bytesPerSecond = max(1, bytesPerSecond)
        (stop, clock) = (context.stop, context.clock)
        next = clock.up()
    }

    /// The size of a piece in bytes: a quarter of a second's worth, but at least 1,024.
    var piece: Int { max(1024, bytesPerSecond / 4) }

    /// Waits until the next piece may be sent. After a request to stop nothing waits: a transfer then has two seconds
    /// left, and one that is cut short would be sent again from its beginning.
    func wait() {
        let begin = clock.up()
        var now = begin
        while now < next, !stop.isMade {
            clock.sleep(min(next - now, .milliseconds(100)))
            now = clock.up()
        }
        waited += now - begin
    }

    /// Records that a piece is sent now. Unused capacity is not accumulated, so there is no burst after a pause.
    func count(_ bytes: Int) {
        next = max(next, clock.up()) + .seconds(1) * (Double(bytes) / Double(bytesPerSecond))
    }
}
