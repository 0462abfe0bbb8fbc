import Glibc
import SnapshotBase
import Synchronization

/// Does a folder's work step by step in a thread of its own: one that hangs, as when its server is gone, holds up nobody
/// else. What has come of it is fetched, and not waited for.
final class FolderThread<Files: OutputFiles>: Sendable {
    typealias Keeper = FolderKeeper<Files>

    private struct Desk: Sendable {
        var steps: [Keeper.Step] = []
        /// What is being done, and since when.
        var current: (step: Keeper.Step, since: Uptime)?
        var reports: [Keeper.Report] = []
    }

    private let desk = Mutex(Desk())
    private let keeper: Mutex<Keeper>

    init(_ keeper: Keeper) { self.keeper = Mutex(keeper) }

    /// Has a step done after those before it. One look that waits is enough.
    func ask(_ step: Keeper.Step) {
        let isIdle = desk.withLock { desk in
            if case .look = step, desk.steps.contains(where: { $0.isLook }) { return false }
            desk.steps.append(step)
            guard desk.current == nil else { return false }
            desk.current = (step, .now())
            return true
        }
        if isIdle, !detach({ self.work() }) { desk.withLock { $0.current = nil } }
    }

    private func work() {
        while let step = next() {
            let report = keeper.withLock { $0.take(step, now: .now()) }
            desk.withLock { $0.reports.append(report) }
        }
    }

    private func next() -> Keeper.Step? {
        desk.withLock { desk in
            desk.current = desk.steps.isEmpty ? nil : (desk.steps.removeFirst(), .now())
            return desk.current?.step
        }
    }

    /// What has come of the steps that were done since the last call.
    func reports() -> [Keeper.Report] {
        desk.withLock { desk in
            defer { desk.reports = [] }
            return desk.reports
        }
    }

    /// Since when it has been busy with one step.
    var busySince: Uptime? { desk.withLock { $0.current?.since } }

    /// Whether an earlier run of ffmpeg isn't finished yet.
    var owesEnd: Bool { desk.withLock { $0.current?.step.isEnd ?? false || $0.steps.contains { $0.isEnd } } }

    /// Waits until all is done, but not for longer.
    func settle(within time: Duration) {
        let deadline = Deadline.after(time)
        while busySince != nil, !deadline.hasPassed { usleep(5000) }
    }
}

extension FolderKeeper.Step {
    fileprivate var isLook: Bool { if case .look = self { true } else { false } }
    fileprivate var isEnd: Bool { if case .end = self { true } else { false } }
}
