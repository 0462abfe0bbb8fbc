import SnapshotBase

/// The health of one camera's pictures, judged from its state alone.
package struct Health: Sendable {
    package enum Status: String, JSONValue, Sendable, Comparable {
        case healthy, degraded, unhealthy

        package static func < (left: Status, right: Status) -> Bool { left.rank < right.rank }
        private var rank: Int { self == .healthy ? 0 : self == .degraded ? 1 : 2 }
    }

    /// Why the status is not better; the raw value is the code in the JSON output.
    package enum Reason: String, CaseIterable, JSONValue, Sendable {
        case neverCaptured = "never_captured"
        case noCapture = "no_capture"
        case cameraCredentials = "camera_credentials_refused"
        case storeCredentials = "store_credentials_refused"
        case stateUnreadable = "state_unreadable"
        case stale
        case spooling
        case frozen
        case covered
        case clockUnsynced = "clock_unsynced"
        case lineSlow = "line_slow"
        case dropped = "spool_dropped"
        case storeAway = "store_away"
        case storeFull = "store_full"
        case stateReset = "state_reset"
        case settingsRefused = "settings_refused"
        case relayOutput = "relay_output_failing"
        case relayInterrupted = "relay_interrupted"
        case relayDown = "relay_down"

        /// The status that this reason alone leads to.
        package var status: Status {
            switch self {
            case .neverCaptured, .noCapture, .cameraCredentials, .storeCredentials, .stateUnreadable,
                .settingsRefused, .relayDown:
                .unhealthy
            case .stale, .spooling, .frozen, .covered, .clockUnsynced, .lineSlow, .dropped, .stateReset, .relayOutput,
                .relayInterrupted, .storeAway, .storeFull:
                .degraded
            }
        }
    }

    package var status: Status
    package var reasons: [Reason]
    /// ISO 8601, UTC, according to the wall clock at that moment.
    package var lastCapture: String?
    package var lastUpload: String?
    /// Seconds since the first run of this boot.
    package var uptimeSeconds: Int
    /// Seconds since the last picture was stored.
    package var ageSeconds: Int?
    package var intervalSeconds: Double
    package var totalCaptures = 0
    package var totalUploads = 0
    package var failedUploads = 0
    package var captureFailures = 0
    package var consecutiveFailures = 0
    package var lastError: Failure.Code?
    /// Why no pictures are being stored at the moment.
    package var cause: Cause?
    package var spool = SpoolFigures()
    package var clock = ClockFigures()
    /// nil if no traffic has been counted.
    package var traffic: TrafficRecord?
    /// nil if no run has been recorded.
    package var work: WorkFigures?
    package var credentials: CredentialsStatus?
    package var relay: RelayReport?
    /// The relay's reasons in words; `flow` says which outputs its video reaches.
    package var relayWords: [Reason: String] = [:]
    package var flow: String?
    /// Whether there is a relay, but nothing that takes pictures.
    package var isRelayAlone = false
    package var camera: String
    /// The name of the camera's instance (`snapshot@NAME`); nil for other cameras.
    package var instance: String?
    package var version: String

    /// Seconds for which a drop or a reset is reported: long enough to be noticed, short enough to stay meaningful.
    private static let reportedFor = 86400.0

    /// - Parameters:
    ///   - interval: seconds between captures according to the settings; nil if unknown.
    ///   - camera: the camera's name if the state has none.
    ///   - hasTimer: whether systemd is configured to take pictures.
    package init(
        _ content: StateRing.Content, relay: RelayReport?, now: Now, interval: Double?, camera: String,
        hasTimer: Bool = false, version: String
    ) {
        switch content {
        case .record(let record): self.init(record, now: now, interval: interval)
        case .neverRan: self.init(without: .neverCaptured, interval: interval, camera: camera)
        case .unreadable: self.init(without: .stateUnreadable, interval: interval, camera: camera)
        }
        self.version = version
        guard let relay else { return }
        if case .neverRan = content { isRelayAlone = !hasTimer }
        judge(relay, now: now)
    }

    private mutating func judge(_ relay: RelayReport, now: Now) {
        self.relay = relay
        let found = relay.reasons(now: now, isAlone: isRelayAlone)
        for reason in found { relayWords[reason] = relay.sentence(reason, now: now) }
        flow = found.isEmpty && relay.state == "running" ? relay.flow(now: now) : nil
        reasons = (isRelayAlone ? [] : reasons) + found
        status = reasons.map(\.status).max() ?? .healthy
    }

    /// The health of a camera without a record.
    private init(without reason: Reason, interval: Double?, camera: String) {
        status = reason.status
        reasons = [reason]
        uptimeSeconds = 0
        intervalSeconds = interval ?? 10
        self.camera = camera
        version = ""
    }

    private init(_ record: Record, now: Now, interval configured: Double?) {
        func age(_ moment: Moment?) -> Double? { moment.map { now.age(of: $0, recordBoot: record.boot) } }
        let captureAge = age(record.lastCapture)
        // While captures are postponed, the last one counts as at most one interval old; its age grows once the
        // postponement has ended.
        let wait = record.postponement.map { max(0, now.age(of: $0.since, recordBoot: record.boot) - $0.delaySeconds) }
        let storedAge = age(record.lastUpload)
        // Clamp: a valid checksum does not imply a sane value.
        let known = (record.isRepeating == true ? nil : configured) ?? record.intervalSeconds
        let interval = min(max(known, 0.1), 1e9)

        var reasons: [Reason] = []
        if captureAge == nil { reasons.append(.neverCaptured) }
        func isLate(_ age: Double, _ intervals: Double) -> Bool {
            min(age, wait.map { $0 + interval } ?? age) > intervals * interval
        }
        if let captureAge, isLate(captureAge, 10) { reasons.append(.noCapture) }
        func isHeldOff(_ side: String) -> Bool { record.holdOffs[side].map { $0.isOfOtherSettings != true } ?? false }
        if isHeldOff("camera") { reasons.append(.cameraCredentials) }
        if isHeldOff("store") { reasons.append(.storeCredentials) }
        // Earlier pictures that a drain uploads now do not make up for missing captures.
        if let captureAge, isLate(max(captureAge, storedAge ?? .infinity), 3) { reasons.append(.stale) }
        if record.learned?.missingMount != nil { reasons.append(.storeAway) }
        if record.learned?.isFull == true { reasons.append(.storeFull) }
        if record.spool.count > 0 { reasons.append(.spooling) }
        if record.pictures.frozen { reasons.append(.frozen) }
        if record.pictures.covered { reasons.append(.covered) }
        if !record.clock.synced { reasons.append(.clockUnsynced) }
        if record.outcome.isLonger(than: interval) { reasons.append(.lineSlow) }
        if let drop = age(record.spool.lastDrop), drop < Self.reportedFor { reasons.append(.dropped) }
        if let reset = age(record.stateReset), reset < Self.reportedFor { reasons.append(.stateReset) }
        cause = Cause(record, now: now)
        if cause != nil, record.outcome.code == .own(.settings) { reasons.append(.settingsRefused) }

        self.reasons = reasons
        status = reasons.map(\.status).max() ?? .healthy
        lastCapture = record.lastCapture?.at
        lastUpload = record.lastUpload?.at
        uptimeSeconds = record.boot == now.boot ? Int(min(max(0, now.up - record.bootFirstRun), 1e12)) : 0
        ageSeconds = storedAge.map { Int(min($0, 1e12)) }
        intervalSeconds = interval
        totalCaptures = record.totalCaptures
        totalUploads = record.totalUploads
        failedUploads = record.failedUploads
        captureFailures = record.captureFailures
        consecutiveFailures = record.consecutiveFailures
        lastError = record.lastError?.code
        spool = record.spool
        clock = record.clock
        traffic = record.traffic
        credentials = record.credentials
        camera = record.camera
        version = ""
        work = WorkFigures(record, interval: interval, now: now)
    }
}
