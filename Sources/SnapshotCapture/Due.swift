import SnapshotBase
import SnapshotCamera
import SnapshotState

/// Whether this run takes a picture, which is decided before any request to the camera.
enum Due: Equatable {
    case now
    case skipped(Postponement)
}

extension Run {
    mutating func due() -> Due {
        noteChangedSettings()
        return postponement.map(Due.skipped) ?? .now
    }

    /// What captures wait for at present. The only cause is a camera that has refused the credentials.
    var postponement: Postponement? {
        heldOffSeconds("camera").map {
            Postponement(since: now.moment, delaySeconds: $0, reason: .camera(.credentials))
        }
    }

    /// Counts a run that takes no picture as a failed capture; the reason is in `shot.failure`.
    /// - Returns: nil, since there is no picture.
    mutating func skip(_ postponement: Postponement) -> Picture? {
        shot.outcome.result = .skipped
        shot.failure = .heldOff(
            postponement.reason, "camera", settings.camera.address, wait: postponement.delaySeconds)
        record.captureFailures += 1
        return nil
    }
}
