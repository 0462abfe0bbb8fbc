import SnapshotBase
import SnapshotState

/// The result of one run, for the person or script that started it.
package struct Shot: Sendable {
    package var outcome: Outcome
    /// Why the picture isn't stored; nil where it is.
    package var failure: Failure?
    /// Why the state couldn't be written, whether or not the picture is stored.
    package var stateFailure: Failure?
    /// ISO 8601 in UTC with milliseconds; nil without a picture.
    package var capturedAt: String?
    package var sha256: String?
    /// Whether the failure should be reported to the journal: it is a new one, or was last reported an hour ago.
    package var isNews = true
    /// For a run that succeeded: the number of failed runs before it.
    package var recoveredAfter = 0

    package init(outcome: Outcome) { self.outcome = outcome }

    package var exitCode: Int32 { stateFailure?.exitCode ?? failure?.exitCode ?? 0 }
}
