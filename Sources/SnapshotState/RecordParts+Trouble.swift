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
