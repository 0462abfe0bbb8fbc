import Glibc
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
                camera: name, hasTimer: hasCaptureTimer(statePath: statePath, instance: name), version: version)
        }
        let own = StateRing(reading: statePath).content
        let relay = RelayReport(reading: statePath, now: now)
        var isThere = true
        if case .neverRan = own { isThere = relay != nil }
        let health = Health(
            own, relay: relay, now: now, interval: interval, camera: camera,
            hasTimer: hasCaptureTimer(statePath: statePath, instance: ""), version: version)
        if isThere || cameras.isEmpty { cameras[""] = health }
        self.cameras = cameras
        worst = cameras.sorted { $0.key < $1.key }.map(\.value).max { $0.status < $1.status } ?? health
    }

    /// The names of the directories that hold a state of their own, or may: those of strangers that can't be looked into.
    /// What the state's owner keeps to itself, as the pictures, is no camera's.
    package static func instances(in statePath: String) -> [String] {
        let names = (try? listDirectory(statePath)) ?? []
        let owner = ownerID(of: statePath)
        return names.filter { name in
            guard !Neighbourhood.isNetwork(name, in: statePath) else { return false }
            let files = [RelayReport.fileName, StateRing.fileName]
            if files.contains(where: { fileExists("\(statePath)/\(name)/\($0)") }) { return true }
            return errno == EACCES && !name.utf8.starts(with: ".".utf8)
                && !["spool", "relay", "lost+found"].contains(name) && ownerID(of: statePath + "/" + name) != owner
        }.sorted()
    }

    private static func ownerID(of path: String) -> uid_t? {
        var facts = stat()
        return stat(path, &facts) == 0 ? facts.st_uid : nil
    }

    /// What a camera is called: an instance by its name, and the one in `STATE_PATH` itself as its settings say, unless an
    /// instance is called so.
    package func name(_ key: String, _ health: Health) -> String {
        key.isEmpty && cameras[health.camera] == nil ? health.camera : key
    }

    package var isHealthyEnough: Bool { worst.status != .unhealthy }

    /// The contract's JSON; a `cameras` map is added where there are instances.
    package func json() -> JSON {
        var object = worst.object
        let instances = cameras.filter { !$0.key.isEmpty }
        if !instances.isEmpty { object.append("cameras", instances.mapValues(\.object).json) }
        return object.json
    }

    /// One camera's health, by its instance or, where it has none, by its name.
    package func camera(_ name: String) -> Health? {
        if let instance = cameras[name] { return instance }
        return cameras[""].flatMap { $0.camera == name ? $0 : nil }
    }
}

extension Health {
    /// The contract's JSON of one camera.
    package func json() -> JSON { object.json }

    /// The wire form: `last_capture` and its like are null, not absent, before the first capture.
    fileprivate var object: JSONObject {
        [
            "status": status,
            "reasons": reasons,
            "last_capture": lastCapture.json,
            "last_upload": lastUpload.json,
            "age_seconds": ageSeconds.json,
            "interval_seconds": intervalSeconds,
            "uptime_seconds": uptimeSeconds,
            "total_captures": totalCaptures,
            "total_uploads": totalUploads,
            "failed_uploads": failedUploads,
            "capture_failures": captureFailures,
            "consecutive_failures": consecutiveFailures,
            "last_error": lastError.json,
            "cause": (cause?.text).json,
            "spool": [
                "count": spool.count,
                "bytes": spool.bytes,
                "oldest": (spool.oldest?.at).json,
                "dropped": spool.dropped,
                "superseded": spool.superseded,
            ] as JSONObject,
            "clock": ["synced": clock.synced, "offset_seconds": clock.offsetSeconds] as JSONObject,
            "traffic": traffic.map(\.object),
            "credentials": lease,
            "relay": relay,
            "camera": camera,
            "version": version,
        ]
    }
}

extension TrafficRecord {
    fileprivate var object: JSONObject {
        [
            "sent_bytes": sent, "received_bytes": received,
            "camera_sent_bytes": cameraSent, "camera_received_bytes": cameraReceived,
            "days": days.map { day in
                ["day": day.date, "sent_bytes": day.sent, "received_bytes": day.received] as JSONObject
            },
        ]
    }
}

extension Optional where Wrapped: JSONValue {
    /// null where there is no value.
    fileprivate var json: JSON { self?.json ?? .null }
}
