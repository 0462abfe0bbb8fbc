import Glibc
import SnapshotBase
import SnapshotSettings

/// `snapshot forget` removes from health and the status page a camera that no longer exists. Nothing is deleted, as its
/// spool may contain pictures: all of its state moves to `STATE_PATH/forgotten`.
package struct Forget {
    package struct Result: Sendable {
        /// The folder that now holds the state.
        package let folder: String
        /// The number of pictures in its spool.
        package let waiting: Int
    }

    private let statePath: String
    private let name: String
    private let report: HealthReport
    private let now: Now

    package init(_ name: String, statePath: String, now: Now) {
        self.name = name
        self.now = now
        self.statePath = statePath.count > 1 && statePath.hasSuffix("/") ? String(statePath.dropLast()) : statePath
        report = HealthReport(statePath: statePath, now: now, interval: nil)
    }

    /// The names of the cameras that health shows and whose folder exists.
    package static func names(statePath: String, now: Now) -> [String] {
        let report = HealthReport(statePath: statePath, now: now, interval: nil)
        return report.cameras.entries.filter { fileExists(folder($0.name, statePath)) }
            .map { report.name($0.name, $0.value) }.sorted()
    }

    private static func folder(_ key: String, _ statePath: String) -> String {
        key.isEmpty ? statePath : statePath + "/" + key
    }

    /// - Throws: `Failure` with the code `usage` if there is no such camera, `settings` if its units are enabled, or
    ///   `state` if a run holds the lock or the state cannot be moved.
    package func run() throws(Failure) -> Result {
        guard let key = report.cameras.entries.first(where: { report.name($0.name, $0.value) == name })?.name,
            hasState(key)
        else {
            let names = Self.names(statePath: statePath, now: now).map { $0.printable(limit: 64) }.joined(
                separator: ", ")
            throw Failure(
                .own(.usage), "no camera", name.printable(limit: 64), why: "\(statePath) has no state of that name",
                hint: names.isEmpty ? nil : "there are: \(names)")
        }
        try refuseEnabled(key)
        let folder = Self.folder(key, statePath)
        var waiting = 0
        if case .record(let record) = StateRing(reading: folder).content { waiting = record.spool.count }
        let locks = try ["lock", "relay.lock"].map { file throws(Failure) in try lock(folder + "/" + file) }
        defer { withExtendedLifetime(locks) {} }
        do throws(SystemError) {
            return Result(folder: try move(key, at: now.wall), waiting: waiting)
        } catch {
            throw Failure(
                .own(.state), "cannot move the state of", name.printable(limit: 64), why: "\(error)",
                hint: error.number == EACCES || error.number == EPERM ? "use sudo" : nil)
        }
    }

    private func hasState(_ key: String) -> Bool {
        let folder = Self.folder(key, statePath)
        return [StateRing.fileName, RelayReport.fileName].contains { fileExists(folder + "/" + $0) }
    }

    /// A camera that is still in use would soon reappear, without its counters and pins.
    private func refuseEnabled(_ key: String) throws(Failure) {
        let suffix = key.isEmpty ? "" : "@\(key)"
        let timer = "snapshot\(suffix).timer"
        let relay = "snapshot-relay\(suffix).service"
        for (unit, target) in [(timer, "timers"), (relay, "multi-user")] where isEnabled(unit, target, of: statePath) {
            throw .settings(
                "cannot forget", name.printable(limit: 64), why: "\(unit) is enabled",
                hint: "sudo systemctl disable --now \(unit)")
        }
    }

    private func lock(_ path: String) throws(Failure) -> FileHandle? {
        do throws(SystemError) {
            let lock = try openFile(path, O_RDONLY | O_CREAT, mode: 0o600)
            if retrying({ flock(lock.descriptor, LOCK_EX | LOCK_NB) }) == 0 { return lock }
            throw SystemError("flock")
        } catch {
            let isHeld = error.number == EWOULDBLOCK
            throw Failure(
                .own(.state), "cannot forget", name.printable(limit: 64),
                why: isHeld ? "a run or a relay holds its lock" : "\(error)",
                hint: isHeld ? "end what still runs for it, and try again" : error.number == EACCES ? "use sudo" : nil)
        }
    }

    private func move(_ key: String, at now: Timestamp) throws(SystemError) -> String {
        let parent = try Folder(statePath)
        let forgotten = try parent.folder("forgotten", creating: 0o750)
        let f = now.fields
        let base = "\(key.isEmpty ? "camera" : key)-\(f.year)\(f.month)\(f.day)T\(f.hour)\(f.minute)\(f.second)Z"
        let target =
            (1...100).lazy.map { $0 == 1 ? base : "\(base)-\($0)" }.first { forgotten.status($0) == nil } ?? base
        if key.isEmpty {
            // Locks, instances and perhaps pictures lie in the same folder and stay.
            let folder = try forgotten.folder(target, creating: 0o750)
            for file in try parent.names() where isOwn(file, parent) { try parent.rename(file, to: file, in: folder) }
            try folder.sync()
        } else {
            try parent.rename(key, to: target, in: forgotten)
        }
        try forgotten.sync()
        try parent.sync()
        return "\(statePath)/forgotten/\(target)"
    }

    private func isOwn(_ file: String, _ parent: Folder) -> Bool {
        if file == "spool" { return true }
        guard !file.hasSuffix("lock"), !file.hasPrefix("."), let facts = parent.status(file) else { return false }
        return facts.st_mode & S_IFMT == S_IFREG
    }
}

/// Whether systemd starts `unit` at boot for this state.
func isEnabled(_ unit: String, _ target: String, of statePath: String) -> Bool {
    guard statePath == "/var/lib/snapshot" else { return false }
    return ["/etc", "/run", "/usr/lib", "/lib"].contains { root in
        var status = stat()
        return lstat("\(root)/systemd/system/\(target).target.wants/\(unit)", &status) == 0
    }
}
