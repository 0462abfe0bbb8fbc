import SnapshotBase

/// An error as stored in a record.
package struct ErrorReport: JSONMapped, Equatable, Sendable {
    package var code = Failure.Code(rawValue: "")
    package var moment = Moment()
    /// Since when this part of the work has failed without interruption.
    package var since: Moment?
    /// The reason in words; short, as a record is limited, and never a URL.
    package var why: String?

    package init() {}

    package init(code: Failure.Code, moment: Moment, why: String? = nil) {
        self.code = code
        self.moment = moment
        self.why = why
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("code", &code)
        fields.field("moment", &moment)
        fields.field("since", &since)
        fields.field("why", &why)
    }
}

/// The size of the spool, and what has been dropped from it.
package struct SpoolFigures: JSONMapped, Equatable, Sendable {
    package var count = 0
    package var bytes = 0
    /// The capture time of the oldest entry.
    package var oldest: Moment?
    /// The total number of pictures dropped: there was no room, they couldn't be written, or their bytes were damaged.
    package var dropped = 0
    package var lastDrop: Moment?
    /// Pictures that were not uploaded because a newer one was stored under the same key.
    package var superseded: Int?
    /// Set once the store has rejected several entries: they are skipped for an hour, so that they neither delay others
    /// nor cost a transfer.
    package var rejected: RejectedEntries?
    package var others = JSONObject()

    package init() {}

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("count", &count)
        fields.field("bytes", &bytes)
        fields.field("oldest", &oldest)
        fields.field("dropped", &dropped)
        fields.field("last_drop", &lastDrop)
        fields.field("superseded", &superseded)
        fields.field("refused", &rejected)
    }
}

/// Spooled pictures that the store has rejected, up to a number.
package struct RejectedEntries: JSONMapped, Equatable, Sendable {
    /// The number of the newest rejected entry.
    package var last = 0
    package var since = Moment()

    package init() {}

    package init(last: Int, since: Moment) {
        self.last = last
        self.since = since
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("last", &last)
        fields.field("since", &since)
    }
}

/// What is known about the accuracy of this machine's clock.
package struct ClockFigures: JSONMapped, Equatable, Sendable {
    /// False while there is a sign that the wall clock is wrong.
    package var synced = true
    /// The store's clock minus ours, in seconds, as last observed in this boot; 0 if they agreed.
    package var offsetSeconds = 0
    /// The wall clock minus seconds since boot when `offsetSeconds` was observed, which shows whether the clock has
    /// been set since; nil if no store has sent its time in this boot.
    package var wallAtBoot: Double?
    /// The latest capture time ever assigned, in milliseconds since 1970; an untrusted clock continues after it.
    package var latestMilliseconds: Int64 = 0
    package var others = JSONObject()

    package init() {}

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("synced", &synced)
        fields.field("offset_seconds", &offsetSeconds)
        fields.field("base", &wallAtBoot)
        fields.field("latest_ms", &latestMilliseconds)
    }
}

/// A pause before a camera or store is asked again: after refused credentials (the credential hold-off, which a change
/// of the settings ends), or because the store has asked for it with `Retry-After`.
package struct Pause: JSONMapped, Equatable, Sendable {
    package var since = Moment()
    package var delaySeconds = 0.0
    /// The HMAC of the settings to which it applies. It reveals nothing without the HMAC's key, which is in
    /// `session.json`.
    package var settingsHMAC = ""
    /// Whether the settings have changed since the refusal. Retries and health then ignore the hold-off; nil is false.
    package var isOfOtherSettings: Bool?
    /// The failure's code, only where `credential_process` failed; nil after refusals and `Retry-After`.
    package var code: Failure.Code?
    package var others = JSONObject()

    package static let firstHoldOff = 600.0
    package static let longestHoldOff = 21600.0
    /// `credential_process` may fail because of the network, so it is tried again sooner.
    package static let holdOffsOfProcess = 60.0...600

    package init() {}

    package init(since: Moment, delaySeconds: Double, settingsHMAC: String) {
        self.since = since
        self.delaySeconds = delaySeconds
        self.settingsHMAC = settingsHMAC
    }

    /// The hold-off after another refusal: twice as long as the previous one for the same settings, within limits.
    package static func holdOff(
        after previous: Pause?, _ code: Failure.Code? = nil, settingsHMAC: String, now: Now
    ) -> Pause {
        let isProcess = code == .store(.credentialProcess)
        let delays = isProcess ? holdOffsOfProcess : firstHoldOff...longestHoldOff
        let own: Failure.Code? = isProcess ? code : nil
        let isSame = previous?.settingsHMAC == settingsHMAC && previous?.code == own
        let delay = isSame ? (previous?.delaySeconds ?? 0) * 2 : 0
        var holdOff = Pause(
            since: now.moment, delaySeconds: min(max(delay, delays.lowerBound), delays.upperBound),
            settingsHMAC: settingsHMAC)
        holdOff.code = own
        return holdOff
    }

    /// Seconds until the end of the pause; nil if it is over, or applies to other settings.
    package func remaining(settingsHMAC: String, now: Now, recordBoot: String) -> Double? {
        guard settingsHMAC == self.settingsHMAC else { return nil }
        let left = delaySeconds - now.age(of: since, recordBoot: recordBoot)
        return left > 0 ? left : nil
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("since", &since)
        fields.field("delay_seconds", &delaySeconds)
        fields.field("settings", &settingsHMAC)
        fields.field("past", &isOfOtherSettings)
        fields.field("code", &code)
    }
}

/// The region that the store asked for.
package struct LearnedRegion: JSONMapped, Equatable, Sendable {
    package var name = ""
    /// The identity of the store that the region belongs to: its endpoint and bucket.
    package var identity = ""

    package init() {}

    package init(name: String, identity: String) {
        self.name = name
        self.identity = identity
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("name", &name)
        fields.field("place", &identity)
    }
}

/// What runs have found out about a store, mostly from its refusals. Words are plain text, so that an unknown one of a
/// later version does not invalidate the record.
package struct LearnedStore: JSONMapped, Equatable, Sendable {
    /// The identity of the store to which this applies; never a path that may be secret.
    package var identity = ""
    /// The checksum that the store requires with each object.
    package var checksum: String?
    /// The HTTP authentication that the store accepts, `basic` or `digest`.
    package var login: String?
    /// The objects that were sent completely but not acknowledged, by a prefix of their keys' SHA-256.
    package var unanswered: [String]?
    package var others = JSONObject()
    /// The mount point of a folder whose disk is not mounted.
    package var missingMount: String?
    /// Whether deleting our own pictures is not enough to keep the folder within its limits.
    package var isFull: Bool?

    package init() {}

    package init(identity: String, checksum: String? = nil, login: String? = nil) {
        self.identity = identity
        self.checksum = checksum
        self.login = login
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("place", &identity)
        fields.field("checksum", &checksum)
        fields.field("login", &login)
        fields.field("unanswered", &unanswered)
        fields.field("away", &missingMount)
        fields.field("full", &isFull)
    }
}
