import SnapshotBase
import SnapshotSettings

/// `UPLOAD_DEADLINE`, else as long as leaves the next run its turn.
package func uploadDeadline(_ settings: Settings, interval: Duration) throws(Failure) -> Duration {
    try settings[Key.uploadDeadline] ?? max(.seconds(5), interval * 8 / 10)
}
