import SnapshotBase
import SnapshotState

/// What one run came to, for the person or the script that started it.
package struct Shot: Sendable {
    package var outcome: Outcome
    /// What went wrong with the picture; nil when it is stored.
    package var failure: Failure?
    /// The state could not be written, whatever became of the picture.
    package var stateFailure: Failure?
    package var capturedAt: String?
    package var sha256: String?
    /// Whether a journal should hear of the failure: it is a new one, or an hour old.
    package var isNews = true
    /// How many failed runs this good one follows.
    package var recoveredAfter = 0

    package init(outcome: Outcome) { self.outcome = outcome }

    package var exitCode: Int32 { stateFailure?.exitCode ?? failure?.exitCode ?? 0 }
}
