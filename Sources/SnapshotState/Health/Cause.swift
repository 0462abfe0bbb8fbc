import SnapshotBase

/// What prevents runs from storing pictures, since when and why: the most useful thing for a user to read first.
package struct Cause: Sendable {
    /// A sentence without its full stop.
    package let text: String
    /// What to do about it, in Markdown.
    package let remedy: String
    /// The reasons that this text makes redundant.
    package let explained: [Health.Reason]

    /// nil if the last run stored its picture.
    init?(_ record: Record, now: Now) {
        guard record.consecutiveFailures > 0, let error = record.lastError else { return nil }
        let begun = error.since.flatMap { Timestamp(iso8601: $0.at) }
        text =
            error.code.sentence + (begun.map { " since \($0.clock(asOf: now.wall))" } ?? "")
            + (error.why.map { " (\($0.clause))" } ?? "")
        remedy = error.code.remedy
        explained =
            switch error.code.kind {
            case .store: [.stale]
            case .storeRefused: [.stale, .storeCredentials]
            case .usage, .settings, .camera, .cameraRefused, .spool, .state:
                [.noCapture, .stale, .cameraCredentials, .settingsRefused]
            }
    }
}

extension Failure.Code {
    /// What has failed, as a sentence that can be continued with `since 22:31`.
    fileprivate var sentence: String {
        switch self {
        case .camera(.unreachable), .camera(.unresolved), .camera(.silent), .camera(.lost), .camera(.stalled):
            "the camera hasn't answered"
        case .camera(.timeout), .picture: "the camera has sent no good picture"
        case .camera(.credentials), .camera(.insecureLogin), .camera(.login): "the camera has refused the login"
        case .camera(.keyChanged), .camera(.pins), .camera(.tls): "the camera hasn't been trusted"
        case .camera, .reolink: "the camera has given no picture"
        case .store(.credentials): "the store has refused the credentials"
        case .store(.credentialProcess): "credential_process has given no credentials"
        case .store(.unreachable), .store(.unresolved), .store(.timeout), .store(.lost): "the store hasn't answered"
        case .store: "the store has taken no picture"
        case .own(.settings): "the settings have been refused"
        case .own(.killed): "runs have been killed"
        case .own(.spoolFull): "pictures have been lost, as neither store nor spool took them"
        case .own, .missing, .notStarted, .relay, .unknown: "runs have failed"
        }
    }
}
