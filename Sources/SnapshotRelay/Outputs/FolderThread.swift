import Glibc
import SnapshotBase
import Synchronization

/// Performs a folder's steps in a thread of its own, so that a folder that hangs, e.g. on an unreachable server,
/// doesn't block the relay. Results are fetched without waiting.
final class FolderThread<Files: OutputFiles>: Sendable {
    typealias Upkeep = FolderUpkeep<Files>

    private struct Queue: Sendable {
        var steps: [Upkeep.Step] = []
        /// The present step, and when it began.
        var current: (step: Upkeep.Step, since: Uptime)?
        var reports: [Upkeep.Report] = []
    }

    private let queue = Mutex(Queue())
    private let upkeep: Mutex<Upkeep>
    private let clock: SystemClock

    init(_ upkeep: Upkeep, _ clock: SystemClock) {
        self.upkeep = Mutex(upkeep)
        self.clock = clock
    }

    /// Queues a step. A `check` is dropped where another one is waiting already.
    func add(_ step: Upkeep.Step) {
        let isIdle = queue.withLock { queue in
            if case .check = step, queue.steps.contains(where: { $0.isCheck }) { return false }
            queue.steps.append(step)
            guard queue.current == nil else { return false }
            queue.current = (step, clock.up())
            return true
        }
        if isIdle, !detach({ self.work() }) { queue.withLock { $0.current = nil } }
    }

    private func work() {
        while let step = next() {
            let report = upkeep.withLock { $0.perform(step, now: clock.up()) }
            queue.withLock { $0.reports.append(report) }
        }
    }

    private func next() -> Upkeep.Step? {
        queue.withLock { queue in
            queue.current = queue.steps.isEmpty ? nil : (queue.steps.removeFirst(), clock.up())
            return queue.current?.step
        }
    }

    /// The reports of the steps that were finished since the last call.
    func reports() -> [Upkeep.Report] {
        queue.withLock { queue in
            defer { queue.reports = [] }
            return queue.reports
        }
    }

    /// When the present step began; nil where there is none.
    var busySince: Uptime? { queue.withLock { $0.current?.since } }

    /// Whether the `end` of an earlier run of ffmpeg is still waiting or in progress.
    var isEndPending: Bool { queue.withLock { $0.current?.step.isEnd ?? false || $0.steps.contains { $0.isEnd } } }

    /// Waits until all steps are done, at most for `time`.
    func waitUntilIdle(within time: Duration) {
        let deadline = Deadline.after(time)
        while busySince != nil, !deadline.hasPassed { usleep(5000) }
    }
}

extension FolderUpkeep.Step {
    fileprivate var isCheck: Bool { if case .check = self { true } else { false } }
    fileprivate var isEnd: Bool { if case .end = self { true } else { false } }
}
