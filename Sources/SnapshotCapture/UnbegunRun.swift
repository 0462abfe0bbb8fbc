import Glibc
import SnapshotBase
import SnapshotSettings
import SnapshotState

/// Records that no run was begun because its settings are refused: otherwise health would keep reporting the run
/// before.
package struct UnbegunRun {
    private let failure: Failure
    private let settings: Settings?
    private let clock: SystemClock
    /// Whether a missing state directory is created: only if the settings were read, and STATE_PATH or STATE_DIRECTORY
    /// names it. Otherwise somebody may only be trying the program in some folder.
    private let makesState: Bool

    /// - Parameter settings: nil where the file couldn't be read at all; the environment then says where the state is.
    package init(_ failure: Failure, _ settings: Settings?, in context: ProcessContext) {
        self.failure = failure
        let isNamed = (try? settings?.value(Key.statePath)) != nil || context.environment["STATE_DIRECTORY"] != nil
        makesState = settings != nil && isNamed
        self.settings = settings ?? (try? Settings(in: context, path: "/dev/null"))
        clock = context.clock
    }

    /// Writes the record, if the settings are at fault and the state can be found and locked.
    /// - Returns: whether the failure should be reported to the journal; see `Record.noteReport`.
    package func record() -> Bool {
        guard failure.kind == .settings,
            let owned = try? settings?.asOwner(makesState: makesState, readsSecrets: false),
            let path = try? stateDirectory(owned), makesState || fileExists(path),
            var state = try? StateDirectory.open(path)
        else { return true }
        let now = clock.now()
        let camera = state.last?.camera ?? (try? owned[Key.cameraName]) ?? Key.cameraName.defaultValue
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
        let isNews = record.noteReport(of: failure.code, now: now)
        try? state.write(record)
        return isNews
    }
}
