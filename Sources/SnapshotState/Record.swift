import SnapshotBase

/// The record of one run: its outcome, the counters so far, and what the next run needs to know. It is stored in one
/// slot of the state ring; schema 1. Fields that are added later must be optional.
package struct Record: JSONMapped, Equatable, Sendable {
    package static let schema = 1

    /// The number of this record; a run may write several. It is not in `map`: the slot writes it first.
    package var seq: UInt64 = 0
    package var schema = Record.schema
    package var version = ""
    package var camera = ""
    /// When the record was written, and the id of the boot to which all `up` values refer.
    package var written = Moment()
    package var boot = ""
    /// Seconds since boot at the first run of this boot.
    package var bootFirstRun = 0.0
    package var intervalSeconds = 0.0
    /// Whether `--every` set the interval instead of the settings.
    package var isRepeating: Bool?

    /// The number of the last picture, which orders the spool. A number is reused only after records were lost.
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
    /// Set while captures are postponed; otherwise the next one is due an interval after the last.
    package var postponement: Postponement?

    package var spool = SpoolFigures()
    package var clock = ClockFigures()
    /// Retry tokens shared by all runs, so that the number of attempts stays bounded in a long outage.
    package var retryQuota = Record.fullRetryQuota
    /// The hold-offs after refused credentials, by `camera` or `store`.
    package var holdOffs = NamedValues<Pause>()
    /// Credentials that have worked, by `camera` or `store`.
    package var logins: NamedValues<AcceptedLogin>?
    /// The region that the store asked for, and the identity of that store.
    package var region: LearnedRegion?
    /// Other facts learned about the store.
    package var learned: LearnedStore?
    /// The status of the store's temporary credentials, if it has any.
    package var credentials: CredentialsStatus?
    /// Set while the store has asked for a pause (`Retry-After`).
    package var storePause: Pause?
    /// Set while the last attempts at the store made no progress.
    package var stall: Stall?
    /// The periods in which every run stored its own picture, as pairs of milliseconds since 1970; kept while the spool
    /// contains pictures whose keys may be used again.
    package var storedSpans: [Int]?
    package var pictures = PictureHistory()
    /// The sums of the last 48 hours, oldest first.
    package var hours: [Hour] = []
    package var days: DayShares?
    package var traffic: TrafficRecord?
    /// The address of the store to which the last picture was sent; never a secret.
    package var storeAddress: String?

    package var stateReset: Moment?
    package var lastPing: Moment?
    /// The error that was last reported to the journal, and when.
    package var lastReported: ErrorReport?
    /// Members that only a later version understands; they are written back unchanged.
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

    /// Begins a new run. After a reboot, everything that refers to the earlier boot's clock is discarded.
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
        clock.wallAtBoot = nil
        lastCapture?.up = nil
        lastUpload?.up = nil
        lastError?.moment.up = nil
        lastError?.since?.up = nil
        lastReported?.moment.up = nil
        stateReset?.up = nil
        lastPing?.up = nil
        spool.lastDrop?.up = nil
        spool.oldest?.up = nil
        spool.rejected = nil
        storePause?.since.up = nil
        postponement?.since.up = nil
        for (name, _) in holdOffs.entries { holdOffs[name]?.since.up = nil }
    }

    /// Counts a run that stored nothing, and records why.
    package mutating func countFailure(_ failure: Failure, now: Now, why: String? = nil) {
        let goesOn = consecutiveFailures > 0 && lastError?.code.kind == failure.code.kind
        let since = goesOn ? lastError?.since ?? lastError?.moment : nil
        consecutiveFailures += 1
        lastError = ErrorReport(code: failure.code, moment: now.moment, why: why ?? failure.shortReason)
        lastError?.since = since ?? now.moment
    }

    /// Whether the journal should report an error: it is a new one, or was last reported an hour ago. Records the
    /// report.
    package mutating func noteReport(of code: Failure.Code, now: Now) -> Bool {
        let isOld = lastReported.map { now.age(of: $0.moment, recordBoot: boot) >= 3600 } ?? true
        guard lastReported?.code != code || isOld else { return false }
        lastReported = ErrorReport(code: code, moment: now.moment)
        return true
    }

    /// Whether no counter is negative.
    var countsAreSound: Bool {
        [
            lastNumber, totalCaptures, totalUploads, failedUploads, captureFailures, consecutiveFailures, spool.count,
            spool.bytes, spool.dropped, traffic?.sent ?? 0, traffic?.received ?? 0,
        ].allSatisfy { $0 >= 0 } && intervalSeconds >= 0
    }

    /// Discards the members that only a later version understands.
    mutating func forgetOthers() {
        others = JSONObject()
        outcome.others = JSONObject()
        spool.others = JSONObject()
        clock.others = JSONObject()
        pictures.others = JSONObject()
        learned?.others = JSONObject()
        credentials?.others = JSONObject()
        storePause?.others = JSONObject()
        for (name, _) in holdOffs.entries { holdOffs[name]?.others = JSONObject() }
    }

    /// Names in JSON never change, even where the property has a better one by now: "latches" and "told" are those of
    /// 0.2.2, and "due", "lease", "store_rest", "standstill" and "goes_to" came with 0.3.0.
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
        fields.field("due", &postponement)
        fields.field("spool", &spool)
        fields.field("clock", &clock)
        fields.field("retry_quota", &retryQuota)
        fields.field("latches", &holdOffs)
        fields.field("logins", &logins)
        fields.field("region", &region)
        fields.field("store", &learned)
        fields.field("lease", &credentials)
        fields.field("store_rest", &storePause)
        fields.field("standstill", &stall)
        fields.field("stored_spans", &storedSpans)
        fields.field("pictures", &pictures)
        fields.field("hours", &hours)
        fields.field("days", &days)
        fields.field("traffic", &traffic)
        fields.field("goes_to", &storeAddress)
        fields.field("state_reset", &stateReset)
        fields.field("last_ping", &lastPing)
        fields.field("told", &lastReported)
    }
}

extension Failure {
    /// The reason as stored in a record; nil if it contains a URL. For settings it includes the name, but not the
    /// value.
    fileprivate var shortReason: String? {
        var text = why
        if kind == .settings {
            let name = which.prefix { $0 != "=" }
            text = "\(name.isEmpty ? what[...] : name): \(why)"
        }
        // What a credential program prints is for the person at the terminal alone.
        if code == .store(.credentialProcess), let said = text[...].range(of: "; it said: ") {
            text = String(text[..<said.lowerBound])
        }
        return text[...].range(of: "://") == nil ? text.printable(limit: 160) : nil
    }
}
