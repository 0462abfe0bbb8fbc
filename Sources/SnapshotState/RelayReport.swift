import SnapshotBase

/// `relay.json`: the last report of the relay, which it writes on change and once a minute.
package struct RelayReport: JSONMapped, Equatable, Sendable {
    /// The supervisor's state: starting, running, stalled, backing-off, refused or stopped; `silent` if the report is
    /// older than three minutes.
    package var state = ""
    /// The outputs that the relay is configured for, e.g. `hls` and `record`.
    package var modes: [String] = []
    package var updated = Moment()
    package var boot = ""
    /// Since when media has been flowing; nil while it is not.
    package var flowingSince: Moment?
    package var restarts = 0
    /// The code of the last error; never a URL.
    package var lastError: String?
    /// The outputs that fail at the moment, with the code of the failure; nil if none does.
    package var failing: [String: String]?
    /// Since when each of these outputs has failed.
    package var failingSince: [String: Moment]?
    /// Since when no media has been flowing; nil while it is.
    package var idleSince: Moment?
    /// How long the relay waits for media before it reconnects, in seconds.
    package var stallTimeout: Double?
    /// The status of the temporary credentials that recordings are uploaded with, if any.
    package var credentials: CredentialsStatus?

    package static let fileName = "relay.json"

    package init() {}

    package init(state: String, modes: [String], updated: Moment, boot: String, restarts: Int) {
        self.state = state
        self.modes = modes
        self.updated = updated
        self.boot = boot
        self.restarts = restarts
    }

    /// nil if there is no relay, or its report is unreadable.
    package init?(reading directory: String, now: Now) {
        guard let bytes = try? readFile(directory + "/" + Self.fileName, limit: 65536) else { return nil }
        self.init(bytes, now: now)
    }

    /// - Parameter bytes: the content of the file, possibly invalid.
    init?(_ bytes: [UInt8], now: Now) {
        guard let report = JSON(bytes).flatMap(RelayReport.init(json:)) else { return nil }
        self = report
        // The relay writes once a minute, so an old report means that it was killed.
        if state != "stopped", now.age(of: updated, recordBoot: boot) > 180 { state = "silent" }
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("state", &state)
        fields.field("modes", &modes)
        fields.field("updated", &updated)
        fields.field("boot", &boot)
        fields.field("flowing_since", &flowingSince)
        fields.field("restarts", &restarts)
        fields.field("last_error", &lastError)
        fields.field("failing", &failing)
        fields.field("failing_since", &failingSince)
        fields.field("idle_since", &idleSince)
        fields.field("stall_timeout_seconds", &stallTimeout)
        fields.field("credentials", &credentials)
    }
}
