import SnapshotBase

/// How a run ended.
package struct Outcome: JSONMapped, Equatable, Sendable {
    package enum Result: Hashable, Sendable {
        case none, stored, spooled, lost, captureFailed
        /// No capture was due yet; `Record.due` says why.
        case skipped
        /// Of a later version; it is kept as it is.
        case unknown(String)
    }

    package var result = Result.none
    /// The class of what went wrong, if anything did.
    package var code: Failure.Code?
    package var key: String?
    package var bytes: Int?
    package var width: Int?
    package var height: Int?
    package var cameraMilliseconds: Int?
    package var storeMilliseconds: Int?
    package var attempts: Int?
    /// How many earlier pictures were sent from the spool.
    package var drained: Int?
    /// What went to and came from everybody but the camera, in bytes on the line.
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
        // The word of 0.2.2, which refuses records with others than it knows.
        case .skipped: "latched"
        case .unknown(let text): text
        }
    }
}

/// Why captures wait, and for how long.
package struct Postponement: JSONMapped, Equatable, Sendable {
    package var since = Moment()
    /// From then on.
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
    /// Whether taking and storing the picture took more time than there is for each.
    func isLonger(than seconds: Double) -> Bool {
        guard result == .stored, let storeMilliseconds else { return false }
        return Double((cameraMilliseconds ?? 0).adding(storeMilliseconds)) > seconds * 1000
    }
}
