import SnapshotBase
import SnapshotHTTP
import SnapshotState
import SnapshotStore

/// How long a store may take. One that has taken nothing for a minute gets UPLOAD_DEADLINE alone until it answers again, so
/// that its outage doesn't cost the pictures of the next minutes.
extension Run {
    private static let longest = 60.0

    /// nil: until UPLOAD_DEADLINE.
    var uploadTimeouts: UploadTimeouts? {
        if let standstill = record.standstill, standstill.seconds >= Self.longest,
            standstill.settings == credentials(of: "store")
        {
            return nil
        }
        return settings.uploadTimeouts
    }

    mutating func noteStandstill(_ failure: StoreFailure) {
        guard failure.connectionFailed else { return record.standstill = nil }
        guard let stood = failure.stoodStill else { return }
        let present = credentials(of: "store")
        let earlier = record.standstill?.settings == present ? record.standstill?.seconds ?? 0 : 0
        record.standstill = Standstill(seconds: min(earlier + stood.seconds, 1e6), settings: present)
    }
}
