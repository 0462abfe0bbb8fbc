import Glibc
import SnapshotBase
import SnapshotSettings
import SnapshotState

/// A run that its settings keep from beginning: it leaves a record all the same, or health would go on telling of the
/// last one that did begin.
package struct RefusedRun {
    private let failure: Failure
    private let settings: Settings?
    private let clock: SystemClock
    /// Nothing is made for settings that couldn't be read, since they may name another place, nor in a working folder that
    /// nobody named: somebody may only have tried the program.
    private let makesState: Bool

    /// - Parameter settings: nil where not even the file could be read; then the environment says where the state is.
    package init(_ failure: Failure, _ settings: Settings?, in context: ProcessContext) {
        self.failure = failure
        let isNamed = (try? settings?.value(Key.statePath)) != nil || context.environment["STATE_DIRECTORY"] != nil
        makesState = settings != nil && isNamed
        self.settings = settings ?? (try? Settings(in: context, path: "/dev/null"))
        clock = context.clock
    }

    /// - Returns: whether a journal should hear of it.
    package func record() -> Bool {
        guard failure.kind == .settings, let owned = try? settings?.asOwner(makesState: makesState),
            let path = try? stateDirectory(owned), makesState || fileExists(path),
            var state = try? StateDirectory.open(path)
        else { return true }
        let now = clock.now()
        let camera = state.last?.camera ?? (try? owned[Key.cameraName]) ?? Key.cameraName.fallback
        let interval = state.last?.intervalSeconds ?? (try? owned[Key.captureInterval].seconds) ?? 10
        var record = state.last ?? Record(version: snapshotVersion, camera: camera, now: now, intervalSeconds: interval)
        record.begin(
            now: now, version: snapshotVersion, camera: camera, intervalSeconds: interval, isRepeating: false)
        record.captureFailures += 1
        record.countFailure(failure, now: now)
        record.countHour(now: now, captured: false, uploadMilliseconds: nil)
        record.outcome = Outcome(result: .none)
        record.outcome.code = failure.code
        record.written = now.moment
        let isNews = record.isNews(failure.code, now: now)
        try? state.write(record)
        return isNews
    }
}
