import SnapshotBase

/// Credentials that have worked: one refusal of them may be a whim of the server's.
package struct Login: JSONMapped, Equatable, Sendable {
    /// Keyed digest of the settings that worked.
    package var settings = ""
    /// Refusals since they last worked; nil for none.
    package var refusals: Int?

    package init() {}

    package init(settings: String) { self.settings = settings }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("settings", &settings)
        fields.field("refusals", &refusals)
    }
}

/// Attempts at a store at the end of which nothing moved any more.
package struct Standstill: JSONMapped, Equatable, Sendable {
    /// Of all attempts since its last answer.
    package var seconds = 0.0
    /// Keyed digest of the settings that it belongs to.
    package var settings = ""

    package init() {}

    package init(seconds: Double, settings: String) {
        self.seconds = seconds
        self.settings = settings
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("seconds", &seconds)
        fields.field("settings", &settings)
    }
}

/// Temporary credentials, without themselves.
package struct LeaseFigures: JSONMapped, Equatable, Sendable {
    /// When they end, ISO 8601; nil: never.
    package var end: String?
    /// Why they can't be renewed at the moment, though they still hold.
    package var trouble: String?
    package var others = JSONObject()

    package init() {}

    package init(end: Timestamp?, trouble: String?) {
        self.end = end?.iso8601
        self.trouble = trouble
    }

    var endSeconds: Double? { end.flatMap { Timestamp(iso8601: $0) }.map { Double($0.milliseconds / 1000) } }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("end", &end)
        fields.field("trouble", &trouble)
    }
}
