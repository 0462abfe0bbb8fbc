import SnapshotBase

/// How a run ended.
package struct Outcome: JSONMapped, Equatable, Sendable {
    package enum Result: Hashable, Sendable {
        case none, stored, spooled, lost, captureFailed
        /// The camera wasn't asked, since captures are postponed; `Record.postponement` says why.
        case skipped
        /// Written by a later version; preserved unchanged.
        case unknown(String)
    }

    package var result = Result.none
    /// The code of the failure, if there was one.
    package var code: Failure.Code?
    package var key: String?
    package var bytes: Int?
    package var width: Int?
    package var height: Int?
    package var cameraMilliseconds: Int?
    package var storeMilliseconds: Int?
    package var attempts: Int?
    /// The number of earlier pictures that were uploaded from the spool.
    package var drained: Int?
    /// Bytes sent to and received from stores and credential services, including protocol overhead.
    package var sent: Int?
    package var received: Int?
    package var others = JSONObject()

    package init() {}

    package init(result: Result) { self.result = result }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("result", &result)
        fields.field("code", &code)
        fields.field("key", &key)
        fields.field("bytes", &bytes)
        fields.field("width", &width)
        fields.field("height", &height)
        fields.field("camera_ms", &cameraMilliseconds)
        fields.field("store_ms", &storeMilliseconds)
        fields.field("attempts", &attempts)
        fields.field("drained", &drained)
        fields.field("sent", &sent)
        fields.field("received", &received)
    }
}

extension Outcome.Result: RawRepresentable, JSONValue {
    package init(rawValue text: String) {
        switch text {
        case "none": self = .none
        case "stored": self = .stored
        case "spooled": self = .spooled
        case "lost": self = .lost
        case "capture_failed": self = .captureFailed
        case "latched": self = .skipped
        default: self = .unknown(text)
        }
    }

    package var rawValue: String {
        switch self {
        case .none: "none"
        case .stored: "stored"
        case .spooled: "spooled"
        case .lost: "lost"
        case .captureFailed: "capture_failed"
        // The word that version 0.2.2 used: it rejects records with words that it does not know.
        case .skipped: "latched"
        case .unknown(let text): text
        }
    }
}

/// The camera's hold-off as health needs it: why captures are postponed, and for how long.
package struct Postponement: JSONMapped, Equatable, Sendable {
    package var since = Moment()
    /// Seconds after `since` at which the next capture is due.
    package var delaySeconds = 0.0
    package var reason = Failure.Code(rawValue: "")

    package init() {}

    package init(since: Moment, delaySeconds: Double, reason: Failure.Code) {
        self.since = since
        self.delaySeconds = delaySeconds
        self.reason = reason
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("since", &since)
        fields.field("delay_seconds", &delaySeconds)
        fields.field("reason", &reason)
    }
}

extension Outcome {
    /// Whether taking and storing the picture took longer than the interval.
    func isLonger(than seconds: Double) -> Bool {
        guard result == .stored, let storeMilliseconds else { return false }
        return Double((cameraMilliseconds ?? 0).adding(storeMilliseconds)) > seconds * 1000
    }
}
