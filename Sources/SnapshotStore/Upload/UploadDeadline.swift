import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// UPLOAD_DEADLINE; if it isn't set, 80 % of the interval, but at least 5 s.
package func uploadDeadline(_ settings: Settings, interval: Duration) throws(Failure) -> Duration {
    try settings[Key.uploadDeadline] ?? max(.seconds(5), interval * 8 / 10)
}

/// How long an upload may take once it has begun (UPLOAD_STALL, UPLOAD_ANSWER).
package func uploadTimeouts(_ settings: Settings) throws(Failure) -> UploadTimeouts {
    var timeouts = UploadTimeouts()
    timeouts.stall = try settings[Key.uploadStall]
    timeouts.response = try settings[Key.uploadAnswer]
    timeouts.uploadDeadline = try settings[Key.uploadDeadline]
    return timeouts
}
