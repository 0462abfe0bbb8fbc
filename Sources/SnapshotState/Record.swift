import SnapshotBase

/// What one run leaves behind: its outcome, the counters so far, and what the next run needs to know.
/// One slot of the state ring; schema 1. Fields that are added later must be optional.
package struct Record: Codable, Equatable, Sendable {
    package static let schema = 1

    /// Number of this run. Not among the coding keys: the slot itself puts it first.
    package var seq: UInt64 = 0
    package var schema = Record.schema
    package var version: String
    package var camera: String
    /// When it was written, and the kernel's name for the boot in which all `up` values count.
    package var written: Moment
    package var boot: String
    /// Seconds since boot at the first run of this boot.
    package var bootFirstRun: Double
    package var intervalSeconds: Double
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
    package var outcome: Outcome

    package var spool = SpoolFigures()
    package var clock = ClockFigures()
    /// Tokens for retries, shared by all runs, so that a long outage isn't met with ever more attempts.
    package var retryQuota = Record.fullRetryQuota
    /// Refused credentials, by `camera` or `store`.
    package var latches: [String: Latch] = [:]
    /// The region that the store asked for, and the settings for which it did.
    package var region: LearnedRegion?
    package var pictures = PictureHistory()
    /// The last 48 hours, oldest first.
    package var hours: [Hour] = []

    package var stateReset: Moment?
    package var lastPing: Moment?
    /// The error that was last told to the journal, and when.
    package var told: ErrorReport?

    package static let fullRetryQuota = 500

    package init(version: String, camera: String, now: Now, intervalSeconds: Double) {
        self.version = version
        self.camera = camera
        written = now.moment
        boot = now.boot
        bootFirstRun = now.up
        self.intervalSeconds = intervalSeconds
        outcome = Outcome(result: .none)
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
        told?.moment.up = nil
        stateReset?.up = nil
        lastPing?.up = nil
        spool.lastDrop?.up = nil
        spool.oldest?.up = nil
        for name in latches.keys { latches[name]?.since.up = nil }
    }

    private enum CodingKeys: String, CodingKey {
        case schema, version, camera, written, boot
        case bootFirstRun = "boot_first_run"
        case intervalSeconds = "interval_seconds"
        case isRepeating = "repeating"
        case lastNumber = "last_number"
        case totalCaptures = "total_captures"
        case totalUploads = "total_uploads"
        case failedUploads = "failed_uploads"
        case captureFailures = "capture_failures"
        case consecutiveFailures = "consecutive_failures"
        case lastCapture = "last_capture"
        case lastUpload = "last_upload"
        case lastError = "last_error"
        case outcome, spool, clock
        case retryQuota = "retry_quota"
        case latches, region, pictures, hours
        case stateReset = "state_reset"
        case lastPing = "last_ping"
        case told
    }
}

/// How a run ended.
package struct Outcome: Codable, Equatable, Sendable {
    package enum Result: String, Codable, Sendable {
        case none, stored, spooled, lost
        case captureFailed = "capture_failed"
        case latched
    }

    package var result: Result
    /// The class of what went wrong, if anything did.
    package var code: String?
    package var key: String?
    package var bytes: Int?
    package var width: Int?
    package var height: Int?
    package var cameraMilliseconds: Int?
    package var storeMilliseconds: Int?
    package var attempts: Int?
    /// How many earlier pictures were sent from the spool.
    package var drained: Int?

    package init(result: Result) { self.result = result }

    private enum CodingKeys: String, CodingKey {
        case result, code, key, bytes, width, height, attempts, drained
        case cameraMilliseconds = "camera_ms"
        case storeMilliseconds = "store_ms"
    }
}

package struct ErrorReport: Codable, Equatable, Sendable {
    package var code: String
    package var moment: Moment

    package init(code: String, moment: Moment) {
        self.code = code
        self.moment = moment
    }
}

/// What is in the spool, in pictures and bytes.
package struct SpoolFigures: Codable, Equatable, Sendable {
    package var count = 0
    package var bytes = 0
    /// Capture time of the oldest entry.
    package var oldest: Moment?
    /// Pictures given up, ever: for want of room, or because their bytes no longer were what was captured.
    package var dropped = 0
    package var lastDrop: Moment?

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case count, bytes, oldest, dropped
        case lastDrop = "last_drop"
    }
}

package struct ClockFigures: Codable, Equatable, Sendable {
    /// False while there is a sign that the wall clock is wrong.
    package var synced = true
    /// The store's clock minus ours, in seconds, when last seen in this boot; 0 when they agreed.
    package var offsetSeconds = 0
    /// Wall clock minus seconds since boot when `offsetSeconds` was seen: it changes when the clock is set.
    package var base: Double?
    /// The latest capture time ever given out, in milliseconds since 1970; the next one is later.
    package var latestMilliseconds: Int64 = 0

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case synced, base
        case offsetSeconds = "offset_seconds"
        case latestMilliseconds = "latest_ms"
    }
}

/// Credentials that were refused and are tried again only slowly, until the settings change.
package struct Latch: Codable, Equatable, Sendable {
    package var since: Moment
    package var delaySeconds: Double
    /// Keyed digest of the settings that were refused; without the key, which is private, it tells nothing.
    package var settings: String

    package static let firstDelay = 600.0
    package static let longestDelay = 21600.0

    /// The latch after one more refusal.
    package static func after(_ previous: Latch?, settings: String, now: Now) -> Latch {
        let isSame = previous?.settings == settings
        let delay = isSame ? min((previous?.delaySeconds ?? 0) * 2, longestDelay) : firstDelay
        return Latch(since: now.moment, delaySeconds: delay, settings: settings)
    }

    /// Seconds until the credentials may be tried again; nil if they may now.
    package func remaining(settings: String, now: Now, recordBoot: String) -> Double? {
        guard settings == self.settings else { return nil }
        let left = delaySeconds - now.age(of: since, recordBoot: recordBoot)
        return left > 0 ? left : nil
    }

    private enum CodingKeys: String, CodingKey {
        case since, settings
        case delaySeconds = "delay_seconds"
    }
}

package struct LearnedRegion: Codable, Equatable, Sendable {
    package var name: String
    /// Endpoint and bucket for which it was learned.
    package var place: String

    package init(name: String, place: String) {
        self.name = name
        self.place = place
    }
}
