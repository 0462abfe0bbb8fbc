import Glibc
import SnapshotBase
import SnapshotCapture
import SnapshotCheck
import SnapshotSettings
import SnapshotStore

/// A drop-in of one of our units.
package struct DropIn: Sendable {
    package let unit: String
    package let name: String
    package let text: String

    package var path: String { "/etc/systemd/system/\(unit).d/\(name).conf" }

    /// Writes the drop-in, readable to all, and creates its folder.
    package func write() throws(Failure) {
        do throws(SystemError) {
            try makeDirectory(parentDirectory(path), mode: 0o755)
            try writeDurably([Array(text.utf8)], to: path, temporary: path + ".new", mode: 0o644)
        } catch {
            let hint = error.number == EACCES ? "run it as root, or look at it first with --print" : nil
            throw .settings("cannot write", path, why: "\(error)", hint: hint)
        }
    }

    /// The drop-ins for the timer's interval and the time that a run may take.
    /// - Parameter spread: whether each camera that shares the interval gets its own moment within it.
    package static func schedule(
        _ unit: String, every interval: Duration, _ settings: Settings, spread: Bool
    ) throws(Failure) -> [DropIn] {
        let upload = try uploadDeadline(settings, interval: interval)
        let camera = try settings[Key.cameraTimeout]
        let timeouts = try uploadTimeouts(settings)
        return [
            DropIn(
                unit: "\(unit).timer", name: "interval",
                text: TimerSchedule(every: interval).timerDropIn(spread: spread)),
            DropIn(
                unit: "\(unit).service", name: "interval",
                text: TimerSchedule.serviceDropIn(cameraTimeout: camera, uploadDeadline: upload, timeouts: timeouts)),
        ]
    }
}

/// What the service's sandbox has to permit for these settings, in addition to its own folders.
struct Sandbox {
    let unit: String
    static let heading = "# Written by snapshot setup.\n"

    /// The drop-in that permits writing into the folder for pictures; nil where none is needed.
    func pictures(in path: String) -> DropIn? {
        guard path != "/var/lib/snapshot", !path.hasPrefix("/var/lib/snapshot/") else { return nil }
        let lines = sandboxPermit(for: path).map { line in
            line.hasPrefix("ReadWritePaths=") ? "ReadWritePaths=\"\(escaped(line.dropFirst(15)))\"" : line
        }
        return dropIn("pictures", lines)
    }

    /// The drop-in that permits access to a camera at this machine; nil for other cameras.
    func camera(_ url: String) -> DropIn? {
        guard url.hasPrefix("v4l2:") else { return nil }
        return dropIn(
            "camera",
            [
                "PrivateDevices=no", "DevicePolicy=closed", "DeviceAllow=char-video4linux rw",
                "SupplementaryGroups=video",
            ])
    }

    private func dropIn(_ name: String, _ lines: [String]) -> DropIn {
        let text = Self.heading + (["[Service]"] + lines).joined(separator: "\n") + "\n"
        return DropIn(unit: "\(unit).service", name: name, text: text)
    }

    /// Escapes a path for systemd's double quotes.
    private func escaped(_ path: Substring) -> String {
        path.unicodeScalars.map { scalar in
            scalar == "%" ? "%%" : scalar == "\"" || scalar == "\\" ? "\\\(scalar)" : "\(scalar)"
        }.joined()
    }
}
