import SnapshotBase

/// How one camera's snapshots are doing, judged from its state alone.
package struct Health: Sendable {
    package enum Status: String, JSONValue, Sendable, Comparable {
        case healthy, degraded, unhealthy

        package static func < (left: Status, right: Status) -> Bool { left.rank < right.rank }
        private var rank: Int { self == .healthy ? 0 : self == .degraded ? 1 : 2 }
    }

    /// Why the status isn't better; the raw value is the code that scripts see.
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
        case dropped = "spool_dropped"
        case stateReset = "state_reset"

        /// How bad it is by itself.
        package var status: Status {
            switch self {
            case .neverCaptured, .noCapture, .cameraCredentials, .storeCredentials, .stateUnreadable: .unhealthy
            case .stale, .spooling, .frozen, .covered, .clockUnsynced, .dropped, .stateReset: .degraded
            }
        }
    }

    package var status: Status
    package var reasons: [Reason]
    /// ISO 8601, as the wall clock had it at that moment.
    package var lastCapture: String?
    package var lastUpload: String?
    /// Seconds since the first run of this boot.
    package var uptimeSeconds: Int
    /// Seconds since the last stored snapshot was recorded.
    package var ageSeconds: Int?
    package var intervalSeconds: Double
    package var totalCaptures = 0
    package var totalUploads = 0
    package var failedUploads = 0
    package var captureFailures = 0
    package var consecutiveFailures = 0
    package var lastError: Failure.Code?
    package var spool = SpoolFigures()
    package var clock = ClockFigures()
    package var relay: RelayReport?
    package var camera: String
    package var version: String

    /// A drop and a reset are told for a day: long enough to be seen, short enough to mean something again.
    private static let memory = 86400.0

    /// - Parameters:
    ///   - interval: seconds between captures as the settings have it; nil where they don't say.
    ///   - camera: what the camera is called where the state doesn't know.
    package init(
        _ content: StateRing.Content, relay: RelayReport?, now: Now, interval: Double?, camera: String, version: String
    ) {
        switch content {
        case .record(let record): self.init(record, now: now, interval: interval)
        case .neverRan: self.init(without: .neverCaptured, interval: interval, camera: camera)
        case .unreadable: self.init(without: .stateUnreadable, interval: interval, camera: camera)
        }
        self.relay = relay
        self.version = version
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
        let storedAge = age(record.lastUpload)
        // A checksum doesn't make numbers sane: these stay what an Int can hold.
        let known = (record.isRepeating == true ? nil : configured) ?? record.intervalSeconds
        let interval = min(max(known, 0.1), 1e9)

        var reasons: [Reason] = []
        if captureAge == nil { reasons.append(.neverCaptured) }
        if let captureAge, captureAge > 10 * interval { reasons.append(.noCapture) }
        func isLatched(_ who: String) -> Bool { record.latches[who].map { $0.isPast != true } ?? false }
        if isLatched("camera") { reasons.append(.cameraCredentials) }
        if isLatched("store") { reasons.append(.storeCredentials) }
        if captureAge != nil, storedAge.map({ $0 > 3 * interval }) ?? true { reasons.append(.stale) }
        if record.spool.count > 0 { reasons.append(.spooling) }
        if record.pictures.frozen { reasons.append(.frozen) }
        if record.pictures.covered { reasons.append(.covered) }
        if !record.clock.synced { reasons.append(.clockUnsynced) }
        if let drop = age(record.spool.lastDrop), drop < Self.memory { reasons.append(.dropped) }
        if let reset = age(record.stateReset), reset < Self.memory { reasons.append(.stateReset) }

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
        camera = record.camera
        version = ""
    }
}
