import SnapshotBase

/// What one run leaves behind: its outcome, the counters so far, and what the next run needs to know.
/// One slot of the state ring; schema 1. Fields that are added later must be optional.
package struct Record: JSONMapped, Equatable, Sendable {
    package static let schema = 1

    /// Number of this run. Not among the fields: the slot itself puts it first.
    package var seq: UInt64 = 0
    package var schema = Record.schema
    package var version = ""
    package var camera = ""
    /// When it was written, and the kernel's name for the boot in which all `up` values count.
    package var written = Moment()
    package var boot = ""
    /// Seconds since boot at the first run of this boot.
    package var bootFirstRun = 0.0
    package var intervalSeconds = 0.0
    /// `--every` set the interval, whatever the settings say.
    package var isRepeating: Bool?

    /// Number of the last picture: orders the spool. Never given out twice.
    package var lastNumber = 0
    package var totalCaptures = 0
    package var totalUploads = 0
    package var failedUploads = 0
    package var captureFailures = 0
    package var consecutiveFailures = 0

    package var lastCapture: Moment?
    package var lastUpload: Moment?
    package var lastError: ErrorReport?
    package var outcome = Outcome()
    /// Set while captures wait; else the next one is due an interval after the last.
    package var due: Postponement?

    package var spool = SpoolFigures()
    package var clock = ClockFigures()
    /// Tokens for retries, shared by all runs, so that a long outage isn't met with ever more attempts.
    package var retryQuota = Record.fullRetryQuota
    /// Refused credentials, by `camera` or `store`.
    package var holdOffs = Named<HoldOff>()
    /// Credentials that have worked, by `camera` or `store`.
    package var logins: Named<Login>?
    /// The region that the store asked for, and the settings for which it did.
    package var region: LearnedRegion?
    /// What else was learned of the store.
    package var store: LearnedStore?
    /// The temporary credentials that the store gets, if it gets such.
    package var lease: LeaseFigures?
    /// Set while the store wants to be left alone (`Retry-After`).
    package var storeRest: HoldOff?
    /// Set while the store's last attempts stood still.
    package var standstill: Standstill?
    /// While pictures wait whose keys may come again: from when to when all pictures were stored at once, in pairs of
    /// milliseconds since 1970.
    package var storedSpans: [Int]?
    package var pictures = PictureHistory()
    /// The last 48 hours, oldest first.
    package var hours: [Hour] = []
    package var days: DayShares?
    package var traffic: TrafficRecord?
    /// Where the last picture was sent; never a secret.
    package var place: String?

    package var stateReset: Moment?
    package var lastPing: Moment?
    /// The error that was last told to the journal, and when.
    package var lastReported: ErrorReport?
    package var others = JSONObject()

    package static let fullRetryQuota = 500

    package init() {}

    package init(version: String, camera: String, now: Now, intervalSeconds: Double) {
        self.version = version
        self.camera = camera
        written = now.moment
        boot = now.boot
        bootFirstRun = now.up
        self.intervalSeconds = intervalSeconds
    }

    /// Begins a new run: what counts in another boot's time is forgotten.
    package mutating func begin(now: Now, version: String, camera: String, intervalSeconds: Double, isRepeating: Bool) {
        self.version = version
        self.camera = camera
        self.intervalSeconds = intervalSeconds
        self.isRepeating = isRepeating ? true : nil
        schema = Record.schema
        guard boot != now.boot else { return }
        boot = now.boot
        bootFirstRun = now.up
        clock.offsetSeconds = 0
        clock.base = nil
        lastCapture?.up = nil
        lastUpload?.up = nil
        lastError?.moment.up = nil
        lastError?.since?.up = nil
        lastReported?.moment.up = nil
        stateReset?.up = nil
        lastPing?.up = nil
        spool.lastDrop?.up = nil
        spool.oldest?.up = nil
        spool.refused = nil
        storeRest?.since.up = nil
        due?.since.up = nil
        for (name, _) in holdOffs.entries { holdOffs[name]?.since.up = nil }
    }

    /// Counts a run that stored nothing, and what kept it from that.
    package mutating func countFailure(_ failure: Failure, now: Now, why: String? = nil) {
        let goesOn = consecutiveFailures > 0 && lastError?.code.kind == failure.code.kind
        let since = goesOn ? lastError?.since ?? lastError?.moment : nil
        consecutiveFailures += 1
        lastError = ErrorReport(code: failure.code, moment: now.moment, why: why ?? failure.shortReason)
        lastError?.since = since ?? now.moment
    }

    /// Whether a journal should hear of an error: it is a new one, or was last told an hour ago. Notes that it has.
    package mutating func isNews(_ code: Failure.Code, now: Now) -> Bool {
        let isOld = lastReported.map { now.age(of: $0.moment, recordBoot: boot) >= 3600 } ?? true
        guard lastReported?.code != code || isOld else { return false }
        lastReported = ErrorReport(code: code, moment: now.moment)
        return true
    }

    /// Whether what counts things is no less than none of them.
    var countsAreSound: Bool {
        [
            lastNumber, totalCaptures, totalUploads, failedUploads, captureFailures, consecutiveFailures, spool.count,
            spool.bytes, spool.dropped, traffic?.sent ?? 0, traffic?.received ?? 0,
        ].allSatisfy { $0 >= 0 } && intervalSeconds >= 0
    }

    /// Forgets what only a later version understands.
    mutating func forgetOthers() {
        others = JSONObject()
        outcome.others = JSONObject()
        spool.others = JSONObject()
        clock.others = JSONObject()
        pictures.others = JSONObject()
        store?.others = JSONObject()
        lease?.others = JSONObject()
        storeRest?.others = JSONObject()
        for (name, _) in holdOffs.entries { holdOffs[name]?.others = JSONObject() }
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("schema", &schema)
        fields.field("version", &version)
        fields.field("camera", &camera)
        fields.field("written", &written)
        fields.field("boot", &boot)
        fields.field("boot_first_run", &bootFirstRun)
        fields.field("interval_seconds", &intervalSeconds)
        fields.field("repeating", &isRepeating)
        fields.field("last_number", &lastNumber)
        fields.field("total_captures", &totalCaptures)
        fields.field("total_uploads", &totalUploads)
        fields.field("failed_uploads", &failedUploads)
        fields.field("capture_failures", &captureFailures)
        fields.field("consecutive_failures", &consecutiveFailures)
        fields.field("last_capture", &lastCapture)
        fields.field("last_upload", &lastUpload)
        fields.field("last_error", &lastError)
        fields.field("outcome", &outcome)
        fields.field("due", &due)
        fields.field("spool", &spool)
        fields.field("clock", &clock)
        fields.field("retry_quota", &retryQuota)
        fields.field("latches", &holdOffs)
        fields.field("logins", &logins)
        fields.field("region", &region)
        fields.field("store", &store)
        fields.field("lease", &lease)
        fields.field("store_rest", &storeRest)
        fields.field("standstill", &standstill)
        fields.field("stored_spans", &storedSpans)
        fields.field("pictures", &pictures)
        fields.field("hours", &hours)
        fields.field("days", &days)
        fields.field("traffic", &traffic)
        fields.field("goes_to", &place)
        fields.field("state_reset", &stateReset)
        fields.field("last_ping", &lastPing)
        fields.field("told", &lastReported)
    }
}

extension Failure {
    /// The reason as a record keeps it. Of settings also which it is, without the value.
    fileprivate var shortReason: String? {
        var text = why
        if kind == .settings {
            let name = which.prefix { $0 != "=" }
            text = "\(name.isEmpty ? what[...] : name): \(why)"
        }
        return text[...].range(of: "://") == nil ? text.printable(limit: 160) : nil
    }
}
