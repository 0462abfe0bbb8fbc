import FoundationEssentials
import SnapshotBase

/// The health of everything under one `STATE_PATH`: its own camera, and a camera for each directory below it.
package struct HealthReport: Sendable {
    /// By instance name; the camera whose state lies in `STATE_PATH` itself is "".
    package let cameras: [String: Health]
    /// The worst of them, which speaks for all.
    package let worst: Health
    let statePath: String

    /// - Parameters:
    ///   - interval: seconds between captures as the settings have it; nil where they don't say.
    ///   - camera: what the camera is called where a state doesn't know.
    package init(
        statePath: String, now: Now, interval: Double?, camera: String = "camera", version: String = snapshotVersion
    ) {
        self.statePath = statePath
        var cameras: [String: Health] = [:]
        for name in Self.instances(in: statePath) {
            let path = statePath + "/" + name
            cameras[name] = Health(
                StateRing(reading: path).content, relay: RelayReport(reading: path, now: now), now: now, interval: nil,
                camera: name, version: version)
        }
        let own = StateRing(reading: statePath).content
        let relay = RelayReport(reading: statePath, now: now)
        var isThere = true
        if case .neverRan = own { isThere = relay != nil }
        let health = Health(own, relay: relay, now: now, interval: interval, camera: camera, version: version)
        if isThere || cameras.isEmpty { cameras[""] = health }
        self.cameras = cameras
        worst = cameras.sorted { $0.key < $1.key }.map(\.value).max { $0.status < $1.status } ?? health
    }

    /// The names of the directories that hold a state of their own.
    package static func instances(in statePath: String) -> [String] {
        let names = (try? listDirectory(statePath)) ?? []
        return names.filter { fileExists(statePath + "/" + $0 + "/" + StateRing.fileName) }.sorted()
    }

    /// What a camera is called: an instance by its name, and the one in `STATE_PATH` itself as its settings say, unless an
    /// instance is called so.
    package func name(_ key: String, _ health: Health) -> String {
        key.isEmpty && cameras[health.camera] == nil ? health.camera : key
    }

    package var isHealthyEnough: Bool { worst.status != .unhealthy }

    /// The contract's JSON; a `cameras` map is added where there are instances.
    package func json() -> String {
        let instances = cameras.filter { !$0.key.isEmpty }
        return encode(HealthJSON(health: worst, cameras: instances.isEmpty ? nil : instances))
    }

    /// One camera's JSON, or nil where there is none of that name.
    package func json(camera name: String) -> String? {
        cameras[name].map { encode(HealthJSON(health: $0, cameras: nil)) }
    }

    private func encode(_ value: HealthJSON) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings and numbers only: encoding can't fail; an empty object would read as unknown, which is true then.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}

/// The wire form of `Health`: `last_capture` and its like are null, not absent, before the first capture.
private struct HealthJSON: Encodable {
    let health: Health
    let cameras: [String: Health]?

    private enum Key: String, CodingKey {
        case status, reasons, spool, clock, relay, version, camera, cameras
        case lastCapture = "last_capture"
        case uptimeSeconds = "uptime_seconds"
        case totalCaptures = "total_captures"
        case totalUploads = "total_uploads"
        case failedUploads = "failed_uploads"
        case lastUpload = "last_upload"
        case ageSeconds = "age_seconds"
        case intervalSeconds = "interval_seconds"
        case captureFailures = "capture_failures"
        case consecutiveFailures = "consecutive_failures"
        case lastError = "last_error"
    }

    private enum SpoolKey: String, CodingKey { case count, bytes, oldest, dropped }

    private enum ClockKey: String, CodingKey {
        case synced
        case offsetSeconds = "offset_seconds"
    }

    func encode(to encoder: any Encoder) throws {
        var map = encoder.container(keyedBy: Key.self)
        try map.encode(health.status, forKey: .status)
        try map.encode(health.reasons, forKey: .reasons)
        try map.encode(health.lastCapture, forKey: .lastCapture)
        try map.encode(health.lastUpload, forKey: .lastUpload)
        try map.encode(health.uptimeSeconds, forKey: .uptimeSeconds)
        try map.encode(health.ageSeconds, forKey: .ageSeconds)
        try map.encode(health.intervalSeconds, forKey: .intervalSeconds)
        try map.encode(health.totalCaptures, forKey: .totalCaptures)
        try map.encode(health.totalUploads, forKey: .totalUploads)
        try map.encode(health.failedUploads, forKey: .failedUploads)
        try map.encode(health.captureFailures, forKey: .captureFailures)
        try map.encode(health.consecutiveFailures, forKey: .consecutiveFailures)
        try map.encode(health.lastError, forKey: .lastError)
        try map.encode(health.camera, forKey: .camera)
        try map.encode(health.version, forKey: .version)
        try map.encodeIfPresent(health.relay, forKey: .relay)
        try map.encodeIfPresent(
            cameras?.mapValues { HealthJSON(health: $0, cameras: nil) }, forKey: .cameras)
        var spool = map.nestedContainer(keyedBy: SpoolKey.self, forKey: .spool)
        try spool.encode(health.spool.count, forKey: .count)
        try spool.encode(health.spool.bytes, forKey: .bytes)
        try spool.encode(health.spool.oldest?.at, forKey: .oldest)
        try spool.encode(health.spool.dropped, forKey: .dropped)
        var clock = map.nestedContainer(keyedBy: ClockKey.self, forKey: .clock)
        try clock.encode(health.clock.synced, forKey: .synced)
        try clock.encode(health.clock.offsetSeconds, forKey: .offsetSeconds)
    }
}
