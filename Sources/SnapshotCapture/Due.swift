import SnapshotBase
import SnapshotCamera
import SnapshotState

/// Whether a run takes a picture: decided before anything is asked of the camera.
enum Due: Equatable {
    case now
    case skipped(Postponement)
}

extension Run {
    mutating func due() -> Due {
        noteChangedSettings()
        return postponement.map(Due.skipped) ?? .now
    }

    /// What captures wait for at present: today only for a camera that has refused the credentials.
    var postponement: Postponement? {
        holdOff("camera").map { Postponement(since: now.moment, delaySeconds: $0, reason: .camera(.credentials)) }
    }

    /// The run without a picture; why is told in `shot`.
    mutating func skip(_ postponement: Postponement) -> Picture? {
        shot.outcome.result = .skipped
        shot.failure = .heldOff(
            postponement.reason, "camera", settings.camera.address, wait: postponement.delaySeconds)
        record.captureFailures += 1
        return nil
    }
}
