import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// `UPLOAD_DEADLINE`, else as long as leaves the next run its turn.
package func uploadDeadline(_ settings: Settings, interval: Duration) throws(Failure) -> Duration {
    try settings[Key.uploadDeadline] ?? max(.seconds(5), interval * 8 / 10)
}

/// How long an upload may take once it has begun.
package func uploadPatience(_ settings: Settings) throws(Failure) -> UploadPatience {
    var patience = UploadPatience()
    patience.stall = try settings[Key.uploadStall]
    patience.answer = try settings[Key.uploadAnswer]
    patience.bound = try settings[Key.uploadDeadline]
    return patience
}
