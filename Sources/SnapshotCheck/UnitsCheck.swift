import SnapshotBase
import SnapshotCapture
import SnapshotSettings
import SnapshotState

/// Checks systemd's units for these settings: whether they are installed and enabled, whether the timer's interval
/// equals CAPTURE_INTERVAL, and whether the service may write where pictures are stored.
struct UnitsCheck {
    /// The settings file; its name says which units read it.
    let settingsPath: String?
    let interval: Duration
    /// The folder for pictures; nil for other stores.
    let storagePath: String?
    let deadline: Deadline
    let environment: Environment

    /// `snapshot`, or `snapshot@NAME` for a camera with its own settings file.
    private var unit: String {
        InstanceName.of(settingsPath: settingsPath).map { "snapshot@\($0)" } ?? "snapshot"
    }

    func findings() -> [Finding] { [timer()] + confinement() }

    private func timer() -> Finding {
        let names = ["LoadState", "ActiveState", "UnitFileState", "TimersCalendar", "TimersMonotonic"]
        guard let facts = properties("\(unit).timer", names) else {
            return .skipped("units", "systemd isn't running here; cron or --every can take pictures instead")
        }
        let timer = "\(unit).timer"
        guard facts["LoadState"] == "loaded" else {
            return .skipped(
                "units", "\(timer) isn't installed", hint: "install the package, or in a clone: sudo make install")
        }
        guard facts["ActiveState"] == "active" else {
            return .remark("units", "\(timer) isn't running", hint: "sudo systemctl enable --now \(timer)")
        }
        guard let unitFile = facts["UnitFileState"], unitFile.hasPrefix("enabled") else {
            return .remark(
                "units", "\(timer) isn't enabled, so it won't start after a reboot",
                hint: "sudo systemctl enable \(timer)")
        }
        guard
            let found = timerInterval(
                calendar: facts["TimersCalendar"] ?? "", monotonic: facts["TimersMonotonic"] ?? "")
        else { return .passed("units", "\(timer) is on, but its interval can't be read") }
        guard found == interval else {
            let instance = InstanceName.of(settingsPath: settingsPath).map { " --instance \($0)" } ?? ""
            return .remark(
                "units", "\(timer) runs every \(found.settingText), but CAPTURE_INTERVAL is \(interval.settingText)",
                hint: "sudo snapshot schedule\(instance)")
        }
        return .passed(
            "units", "\(timer) runs every \(found.settingText), as CAPTURE_INTERVAL says",
            facts: ["interval_seconds": .integer(found.milliseconds / 1000)])
    }

    /// The findings about the service's sandbox, where all but a few folders are read-only, whoever owns them, and
    /// homes are hidden.
    private func confinement() -> [Finding] {
        let names = ["ProtectSystem", "ProtectHome", "StateDirectory", "ReadWritePaths"]
        guard let facts = properties("\(unit).service", names) else { return [] }
        let own = (facts["StateDirectory"] ?? "").split(separator: " ").map { "/var/lib/\($0)" }
        let named = (facts["ReadWritePaths"] ?? "").split(separator: " ").map(String.init)
        // systemd doesn't start a service if such a path is missing and has no minus in front.
        if let missing = named.first(where: { !$0.hasPrefix("-") && !fileExists(String($0.drop { $0 == "+" })) }) {
            return [
                .failed(
                    "units",
                    .settings(
                        "cannot start", "\(unit).service",
                        why: "ReadWritePaths= names \(missing), which isn't there (226/NAMESPACE)",
                        hint:
                            "sudo systemctl edit \(unit).service   # instead of that line: ReadWritePaths=-\(missing)"
                    )
                )
            ]
        }
        let paths = named.map { String($0.drop { "-+".contains($0) }) }
        if let path = paths.first(where: { hangingMount(of: $0) != nil }) { return [hangingFolder(path)] }
        guard let storagePath, storagePath.hasPrefix("/") else { return [] }
        if isHome(storagePath), let protected = facts["ProtectHome"], protected == "yes" || protected == "tmpfs" {
            return [forbidden(storagePath, "enter")]
        }
        let writable = own + paths
        guard facts["ProtectSystem"] == "strict", !writable.contains(where: { isBelow(storagePath, $0) }) else {
            return []
        }
        return [forbidden(storagePath, "write in")]
    }

    /// A network folder that systemd opens when it starts the service.
    private func hangingFolder(_ path: String) -> Finding {
        .remark(
            "units", "\(unit).service can't start while \(path) hangs, since its ReadWritePaths= names that folder",
            hint:
                "sudo systemctl edit \(unit).service   # instead of that line: \(sandboxPermit(for: path).joined(separator: ", "))"
        )
    }

    private func forbidden(_ path: String, _ verb: String) -> Finding {
        let text = (["[Service]"] + sandboxPermit(for: path)).joined(separator: "\\n")
        return .remark(
            "units", "\(unit).service isn't allowed to \(verb) \(path)",
            hint:
                "printf '\(text)\\n' | sudo install -D -m 644 /dev/stdin /etc/systemd/system/\(unit).service.d/pictures.conf "
                + "&& sudo systemctl daemon-reload")
    }

    private func properties(_ unit: String, _ names: [String]) -> [String: String]? {
        Systemd(environment).properties(of: unit, names, until: deadline.sooner(.seconds(3)))
    }
}
