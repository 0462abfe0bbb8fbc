import SnapshotBase
import SnapshotHTTP
import SnapshotState

/// What requests for temporary credentials need.
struct ProviderInputs {
    let client: HTTPClient
    let authorities: String?
    let proxies: Proxies
    let context: ProcessContext
    let statePath: String?
}

/// Temporary keys, as `STATE_PATH/credentials.json` keeps them.
struct TemporaryCredentials: JSONMapped, Equatable {
    var keys = AWSKeys(accessKey: "", secretKey: "", sessionToken: nil)
    /// When they expire; nil where they don't.
    var end: Timestamp?
    var obtained = Timestamp(seconds: 0)
    /// Whose keys they are, for messages.
    var holder = ""
    /// When they were last renewed without success.
    var failed: Timestamp?
    /// Digest of the source's fingerprint.
    var sourceDigest = ""

    /// In milliseconds.
    private static let margin: Int64 = 300_000
    private static let pause: Int64 = 60_000

    init() {}

    init(_ keys: AWSKeys, end: Timestamp?, obtained: Timestamp, holder: String) {
        self.keys = keys
        self.end = end
        self.obtained = obtained
        self.holder = holder
    }

    func isValid(at now: Timestamp) -> Bool { end.map { $0 > now } ?? true }

    /// Whether they had expired when they were obtained. Only a synchronised clock can tell; else the store decides.
    func isPast(at now: Timestamp, _ service: CaptureClock.TimeService) -> Bool {
        service == .synced && !isValid(at: now)
    }

    /// Whether to renew them: five minutes before they expire, or after half the life of short-lived ones. After a
    /// failed renewal one minute passes before the next, as long as they haven't expired.
    func isDue(at now: Timestamp) -> Bool {
        guard let end else { return false }
        let margin = min(Self.margin, max(0, (end.milliseconds - obtained.milliseconds) / 2))
        guard end.milliseconds - now.milliseconds <= margin else { return false }
        let sinceFailure = failed.map { now.milliseconds - $0.milliseconds } ?? Self.pause
        return !(0..<Self.pause).contains(sinceFailure) || !isValid(at: now)
    }

    mutating func map(_ fields: inout JSONFields) {
        fields.field("access_key", &keys.accessKey)
        fields.field("secret_key", &keys.secretKey)
        fields.field("session_token", &keys.sessionToken)
        fields.field("end", &end)
        fields.field("lent", &obtained)
        fields.field("holder", &holder)
        fields.field("failed", &failed)
        fields.field("source", &sourceDigest)
    }
}

extension Timestamp {
    /// A time with `Z` or an offset such as `+00:00`.
    init?(expiration text: String) {
        let tail = text.suffix(6)
        guard let sign = tail.first, "+-".contains(sign), let (hours, minutes) = tail.dropFirst().cutAtFirst(":"),
            let hours = Int64(hours), let minutes = Int64(minutes), (0..<24).contains(hours),
            (0..<60).contains(minutes),
            let local = Timestamp(iso8601: text.dropLast(6) + "Z")
        else {
            self.init(iso8601: text)
            return
        }
        let offset = (hours * 60 + minutes) * 60_000
        self = local.advanced(byMilliseconds: sign == "+" ? -offset : offset)
    }
}
