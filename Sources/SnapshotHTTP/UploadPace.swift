import Glibc
import SnapshotBase

/// Holds the bodies of all uploads together to so many bytes a second. It waits where libcurl asks for the next piece, which
/// holds up all transfers of the thread: just what a shared rate wants.
final class UploadPace {
    private let bytesPerSecond: Int
    private let stop: StopRequest
    /// When the next piece may go.
    private var next = Uptime.now()
    /// How long transfers were held up, all in all.
    private(set) var waited = Duration.zero

    init(bytesPerSecond: Int, stop: StopRequest) {
        self.bytesPerSecond = max(1, bytesPerSecond)
        self.stop = stop
    }

    /// A quarter of a second's, but no less than a packet.
    var piece: Int { max(1024, bytesPerSecond / 4) }

    /// Waits until a piece may go. Who is asked to end has better things to do.
    func wait() {
        let begin = Uptime.now()
        var now = begin
        while now < next, !stop.isMade {
            usleep(UInt32(clamping: min(next - now, .milliseconds(100)).nanoseconds / 1000 + 1))
            now = .now()
        }
        waited += now - begin
    }

    /// A piece goes now. What wasn't used before is lost: a pause is no reason for a burst.
    func count(_ bytes: Int, now: Uptime = .now()) {
        next = max(next, now) + .seconds(1) * (Double(bytes) / Double(bytesPerSecond))
    }
}
