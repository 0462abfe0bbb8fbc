import SnapshotBase

/// Credentials that have worked: a single refusal of them may be a temporary fault of the server.
package struct AcceptedLogin: JSONMapped, Equatable, Sendable {
    /// The HMAC of the settings that worked.
    package var settingsHMAC = ""
    /// The number of refusals since they last worked; nil for none.
    package var refusals: Int?

    package init() {}

    package init(settingsHMAC: String) { self.settingsHMAC = settingsHMAC }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("settings", &settingsHMAC)
        fields.field("refusals", &refusals)
    }
}

/// How long attempts at a store have stalled.
package struct Stall: JSONMapped, Equatable, Sendable {
    /// The total stalled time of all attempts since the store's last response.
    package var seconds = 0.0
    /// The HMAC of the settings to which this applies.
    package var settingsHMAC = ""

    package init() {}

    package init(seconds: Double, settingsHMAC: String) {
        self.seconds = seconds
        self.settingsHMAC = settingsHMAC
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("seconds", &seconds)
        fields.field("settings", &settingsHMAC)
    }
}

/// Facts about temporary credentials, but not the credentials themselves.
package struct CredentialsStatus: JSONMapped, Equatable, Sendable {
    /// When they expire, ISO 8601; nil if they do not.
    package var end: String?
    /// Why they cannot be renewed at the moment, although they are still valid.
    package var renewalFailure: String?
    package var others = JSONObject()

    package init() {}

    package init(end: Timestamp?, renewalFailure: String?) {
        self.end = end?.iso8601
        self.renewalFailure = renewalFailure
    }

    var endSeconds: Double? { end.flatMap { Timestamp(iso8601: $0) }.map { Double($0.milliseconds / 1000) } }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("end", &end)
        fields.field("trouble", &renewalFailure)
    }
}
