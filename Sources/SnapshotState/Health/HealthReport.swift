import Glibc
import SnapshotBase

/// The health of all cameras in one `STATE_PATH`: its own, and one for each instance directory below it.
package struct HealthReport: Sendable {
    /// The health by instance name, sorted by it; the camera whose state is in `STATE_PATH` itself is "".
    package let cameras: NamedValues<Health>
    /// The worst of them, which represents all.
    package let worst: Health
    let statePath: String

    /// - Parameters:
    ///   - interval: seconds between captures according to the settings; nil if unknown.
    ///   - camera: the camera's name if its state has none.
    package init(
        statePath: String, now: Now, interval: Double?, camera: String = "camera", version: String = snapshotVersion
    ) {
        self.statePath = statePath
        let own = StateRing(reading: statePath).content
        let relay = RelayReport(reading: statePath, now: now)
        var isThere = true
        if case .neverRan = own { isThere = relay != nil }
        var health = Health(
            own, relay: relay, now: now, interval: interval, camera: camera,
            hasTimer: hasCaptureTimer(statePath: statePath, instance: ""), version: version)
        health.instance = Self.instance(ofState: statePath)
        let instances = Self.instances(in: statePath)
        var cameras = NamedValues<Health>()
        if isThere || instances.isEmpty { cameras.append("", health) }
        for name in instances {
            let path = statePath + "/" + name
            var health = Health(
                StateRing(reading: path).content, relay: RelayReport(reading: path, now: now), now: now,
                interval: nil, camera: name, hasTimer: hasCaptureTimer(statePath: statePath, instance: name),
                version: version)
            health.instance = Self.instance(ofState: path)
            cameras.append(name, health)
        }
        self.cameras = cameras
        worst = cameras.entries.max { $0.value.status < $1.value.status }?.value ?? health
    }

    /// The instance whose unit keeps its state there; nil for other folders, and for names that a person shouldn't
    /// copy into a shell: the service's user can make any folder there.
    static func instance(ofState path: String) -> String? {
        guard parentDirectory(path) == "/var/lib/snapshot" else { return nil }
        let name = path.dropFirst("/var/lib/snapshot/".count)
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
        return isPlain && !name.isEmpty ? String(name) : nil
    }

    /// The names of the directories that contain a state. One that can't be read counts, too, if it has another owner
    /// than `statePath`; one of the same owner holds other files, such as the pictures.
    package static func instances(in statePath: String) -> [String] {
        let owner = ownerID(of: statePath)
        return FileSystems.localNames(in: statePath).filter { name in
            let files = [RelayReport.fileName, StateRing.fileName]
            if files.contains(where: { fileExists("\(statePath)/\(name)/\($0)") }) { return true }
            return errno == EACCES && !name.utf8.starts(with: ".".utf8)
                && !["spool", "relay", "lost+found"].contains(name) && ownerID(of: statePath + "/" + name) != owner
        }.sorted()
    }

    private static func ownerID(of path: String) -> uid_t? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_uid : nil
    }

    /// The name of a camera: an instance's own name; for the camera in `STATE_PATH` itself the name in its settings,
    /// unless an instance has the same name.
    package func name(_ key: String, _ health: Health) -> String {
        key.isEmpty && cameras[health.camera] == nil ? health.camera : key
    }

    package var isHealthyEnough: Bool { worst.status != .unhealthy }

    /// The documented JSON, with a member `cameras` if there are instances.
    package func json() -> JSON {
        var object = worst.object
        var instances = JSONObject()
        for (name, health) in cameras.entries where !name.isEmpty { instances.append(name, health.object.json) }
        if !instances.members.isEmpty { object.append("cameras", instances.json) }
        return object.json
    }

    /// The health of one camera, by its instance name or, for the one without, by its camera name.
    package func camera(_ name: String) -> Health? {
        if let instance = cameras[name] { return instance }
        return cameras[""].flatMap { $0.camera == name ? $0 : nil }
    }
}

extension Health {
    /// The documented JSON of one camera.
    package func json() -> JSON { object.json }

    /// The members of the documented JSON. `last_capture` and similar members are null, not absent, before the first
    /// capture.
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
            "credentials": credentials,
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
    /// JSON null if there is no value.
    fileprivate var json: JSON { self?.json ?? .null }
}
