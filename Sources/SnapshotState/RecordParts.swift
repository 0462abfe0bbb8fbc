import SnapshotBase

package struct ErrorReport: JSONMapped, Equatable, Sendable {
    package var code = Failure.Code(rawValue: "")
    package var moment = Moment()
    /// Since when that part of the work has failed without a break.
    package var since: Moment?
    /// The reason in words; never a URL, and short, for a record is.
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

/// What is in the spool, in pictures and bytes.
package struct SpoolFigures: JSONMapped, Equatable, Sendable {
    package var count = 0
    package var bytes = 0
    /// Capture time of the oldest entry.
    package var oldest: Moment?
    /// Pictures given up, ever: for want of room, or because their bytes no longer were what was captured.
    package var dropped = 0
    package var lastDrop: Moment?
    /// Pictures that were not sent since a newer one was stored under the same key.
    package var superseded: Int?
    /// Set once the store has refused several entries: for an hour they hold up no others, and cost no transfer.
    package var refused: RefusedEntries?
    package var others = JSONObject()

    package init() {}

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("count", &count)
        fields.field("bytes", &bytes)
        fields.field("oldest", &oldest)
        fields.field("dropped", &dropped)
        fields.field("last_drop", &lastDrop)
        fields.field("superseded", &superseded)
        fields.field("refused", &refused)
    }
}

package struct RefusedEntries: JSONMapped, Equatable, Sendable {
    /// The number of the newest of them.
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

package struct ClockFigures: JSONMapped, Equatable, Sendable {
    /// False while there is a sign that the wall clock is wrong.
    package var synced = true
    /// The store's clock minus ours, in seconds, when last seen in this boot; 0 when they agreed.
    package var offsetSeconds = 0
    /// Wall clock minus seconds since boot when `offsetSeconds` was seen: it changes when the clock is set. Nil where no
    /// store has told the time in this boot.
    package var base: Double?
    /// The latest capture time ever given out, in milliseconds since 1970; the next one is later.
    package var latestMilliseconds: Int64 = 0
    package var others = JSONObject()

    package init() {}

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("synced", &synced)
        fields.field("offset_seconds", &offsetSeconds)
        fields.field("base", &base)
        fields.field("latest_ms", &latestMilliseconds)
    }
}

/// Credentials that were refused and are tried again only slowly, until the settings change; or a store that wants to be
/// left alone for a while.
package struct HoldOff: JSONMapped, Equatable, Sendable {
    package var since = Moment()
    package var delaySeconds = 0.0
    /// Keyed digest of the settings that were refused; without the key, which is private, it tells nothing.
    package var settings = ""
    /// Other settings are in use since; they aren't held up, and health doesn't speak of it.
    package var isPast: Bool?
    /// What failed, where it isn't that credentials were refused.
    package var code: Failure.Code?
    package var others = JSONObject()

    package static let firstDelay = 600.0
    package static let longestDelay = 21600.0
    /// What may fail for want of a network is tried again sooner.
    package static let delaysOfProcess = 60.0...600

    package init() {}

    package init(since: Moment, delaySeconds: Double, settings: String) {
        self.since = since
        self.delaySeconds = delaySeconds
        self.settings = settings
    }

    /// The hold-off after one more refusal.
    package static func after(_ previous: HoldOff?, _ code: Failure.Code? = nil, settings: String, now: Now) -> HoldOff
    {
        let isProcess = code == .store(.credentialProcess)
        let delays = isProcess ? delaysOfProcess : firstDelay...longestDelay
        let own: Failure.Code? = isProcess ? code : nil
        let isSame = previous?.settings == settings && previous?.code == own
        let delay = isSame ? (previous?.delaySeconds ?? 0) * 2 : 0
        var holdOff = HoldOff(
            since: now.moment, delaySeconds: min(max(delay, delays.lowerBound), delays.upperBound), settings: settings)
        holdOff.code = own
        return holdOff
    }

    /// Seconds until the credentials may be tried again; nil if they may now.
    package func remaining(settings: String, now: Now, recordBoot: String) -> Double? {
        guard settings == self.settings else { return nil }
        let left = delaySeconds - now.age(of: since, recordBoot: recordBoot)
        return left > 0 ? left : nil
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("since", &since)
        fields.field("delay_seconds", &delaySeconds)
        fields.field("settings", &settings)
        fields.field("past", &isPast)
        fields.field("code", &code)
    }
}

package struct LearnedRegion: JSONMapped, Equatable, Sendable {
    package var name = ""
    /// Endpoint and bucket for which it was learned.
    package var place = ""

    package init() {}

    package init(name: String, place: String) {
        self.name = name
        self.place = place
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("name", &name)
        fields.field("place", &place)
    }
}

/// What a store wants, as its refusals lastReported. The values are texts, so that a later version's don't cost the record.
package struct LearnedStore: JSONMapped, Equatable, Sendable {
    /// The store that it was learned of; never a path that may be secret.
    package var place = ""
    /// The checksum that must come with an object.
    package var checksum: String?
    /// The login that it takes, `basic` or `digest`.
    package var login: String?
    /// Which objects were sent whole without an answer, by the beginning of their keys' SHA-256.
    package var unanswered: [String]?
    package var others = JSONObject()
    /// The mount point of a folder whose disk isn't there.
    package var away: String?
    /// A bound of a folder can't be kept by deleting our own pictures.
    package var isFull: Bool?

    package init() {}

    package init(place: String, checksum: String? = nil, login: String? = nil) {
        self.place = place
        self.checksum = checksum
        self.login = login
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("place", &place)
        fields.field("checksum", &checksum)
        fields.field("login", &login)
        fields.field("unanswered", &unanswered)
        fields.field("away", &away)
        fields.field("full", &isFull)
    }
}
