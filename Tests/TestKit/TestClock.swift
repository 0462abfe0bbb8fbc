import SnapshotBase
import Synchronization

/// The machine's clock.
package let systemClock = SystemClock(boot: "")

/// A clock that stands still until a test advances it, or until the code under test sleeps by it.
package final class TestClock: Sendable {
    private let passed = Mutex(Duration.zero)

    package init() {}

    package func advance(by time: Duration) { passed.withLock { $0 += time } }

    package var clock: SystemClock {
        SystemClock(
            boot: "", wall: { Timestamp(milliseconds: 1_800_000_000_000 + Int64(self.elapsed.milliseconds)) },
            up: { Uptime(nanoseconds: 1_000_000_000_000) + self.elapsed }, sleep: { self.advance(by: $0) })
    }

    private var elapsed: Duration { passed.withLock { $0 } }
}
