import SnapshotBase
import SnapshotHTTP
import SnapshotState
import SnapshotStore

/// How long an upload may take. A store whose uploads have stalled for a minute in total gets no longer than
/// UPLOAD_DEADLINE until it responds again, so that its outage doesn't cost the next minutes' pictures.
extension Run {
    /// In seconds, summed up over attempts.
    private static let longestTotalStall = 60.0

    /// nil where UPLOAD_DEADLINE alone bounds the upload.
    var uploadTimeouts: UploadTimeouts? {
        if let stall = record.stall, stall.seconds >= Self.longestTotalStall,
            stall.settingsHMAC == credentialsHMAC(of: "store")
        {
            return nil
        }
        return settings.uploadTimeouts
    }

    /// Adds up how long attempts at the present store have stalled; a response resets the sum.
    mutating func noteStall(_ failure: StoreFailure) {
        guard failure.connectionFailed else { return record.stall = nil }
        guard let time = failure.stalledFor else { return }
        let present = credentialsHMAC(of: "store")
        let earlier = record.stall?.settingsHMAC == present ? record.stall?.seconds ?? 0 : 0
        record.stall = Stall(seconds: min(earlier + time.seconds, 1e6), settingsHMAC: present)
    }
}
