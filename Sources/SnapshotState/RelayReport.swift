import SnapshotBase

/// `relay.json`: what the relay last said of itself. Written at most once a minute and on change.
package struct RelayReport: JSONMapped, Equatable, Sendable {
    /// The supervisor's state in one word: starting, running, stalled, backing-off, refused, stopped; `silent` when it
    /// has not been heard of for three minutes.
    package var state = ""
    /// What it is asked to do, e.g. `hls,record`.
    package var modes: [String] = []
    package var updated = Moment()
    package var boot = ""
    /// Since when media has been flowing; nil while it isn't.
    package var flowingSince: Moment?
    package var restarts = 0
    /// The class of the last error; never a URL.
    package var lastError: String?
    /// The outputs that don't work at the moment, with the class of why; nil where all do.
    package var failing: [String: String]?
    /// Since when they don't.
    package var failingSince: [String: Moment]?
    /// Since when no media has been flowing; nil while it is.
    package var idleSince: Moment?
    /// How long it waits for media before it begins anew, in seconds.
    package var stallTimeout: Double?

    package static let fileName = "relay.json"

    package init() {}

    package init(state: String, modes: [String], updated: Moment, boot: String, restarts: Int) {
        self.state = state
        self.modes = modes
        self.updated = updated
        self.boot = boot
        self.restarts = restarts
    }

    /// nil where there is no relay, or nothing readable from one.
    package init?(reading directory: String, now: Now) {
        guard let bytes = try? readFile(directory + "/" + Self.fileName, limit: 65536) else { return nil }
        self.init(bytes, now: now)
    }

    /// - Parameter bytes: of the file; may be anything.
    init?(_ bytes: [UInt8], now: Now) {
        guard let report = JSON(bytes).flatMap(RelayReport.init(json:)) else { return nil }
        self = report
        // It writes once a minute: one that was killed goes on saying what it said last.
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
    }
}
