import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotCapture
import SnapshotSettings
import SnapshotStore

struct ScheduleCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Set how often systemd's timer takes a snapshot.",
        discussion: """
            Writes drop-ins for snapshot.timer and snapshot.service (or a camera's own, with --instance) under \
            /etc/systemd/system and has systemd read them. Where the interval divides a minute, an hour or a day, the \
            timer goes by the calendar, which does not drift; otherwise it counts from the last run.
            """)

    @Argument(help: "The interval, e.g. 5s or 2m; CAPTURE_INTERVAL of the settings unless given.")
    var interval: String?

    @Flag(name: .long, help: "Show the drop-ins and write nothing.")
    var print = false

    @Option(
        name: .long, help: "The camera whose timer it is, for snapshot@NAME.timer and /etc/snapshot/NAME.env."
    )
    var instance: String?

    @OptionGroup var options: SettingsOptions

    /// The one command that stays root: units are root's, and it touches neither state nor pictures.
    func run(in context: ProcessContext) throws {
        let log = options.log(in: context)
        try reporting(log) { () throws(Failure) -> Int32 in
            let unit = try unitName()
            let settings = try settings(in: context)
            let configured = try settings[Key.captureInterval]
            let interval = try wantedInterval() ?? configured
            let files = try dropIns(unit, every: interval, settings)
            if print {
                for file in files {
                    SnapshotBase.print(descriptor: 1, "# \(file.path)\n\(TerminalText(lines: file.text))\n")
                }
                return 0
            }
            for file in files { try file.write() }
            log.write(.info, "wrote \(files.map(\.path).joined(separator: " and "))")
            if interval != configured {
                log.write(
                    .info,
                    "hint: health counts with CAPTURE_INTERVAL=\(configured.settingText); "
                        + "set it to \(interval.settingText) in \(settings.path ?? Settings.systemPath)")
            }
            try reload(unit, log, context.environment)
            return 0
        }
    }

    private func wantedInterval() throws(Failure) -> Duration? {
        guard let interval else { return nil }
        do throws(Failure) {
            let name = Key.captureInterval.key
            return try Settings(commandLine: [name: interval], environment: [:], path: "/dev/null")[Key.captureInterval]
        } catch {
            throw Failure(
                .own(.usage), "refused interval", interval.printable(limit: 40),
                why: "must be a duration from 1s to 7d, such as 10, 10s or 5m")
        }
    }

    /// From the file that the unit reads, unless another is named; on a machine without it, as every command.
    private func settings(in context: ProcessContext) throws(Failure) -> Settings {
        var options = options
        if options.config == nil, let instance { options.config = "/etc/snapshot/\(instance).env" }
        if options.config == nil, fileExists(Settings.systemPath) { options.config = Settings.systemPath }
        let settings = try options.read(in: context)
        settings.warnings.forEach(options.log(in: context).warn)
        return settings
    }

    private func unitName() throws(Failure) -> String {
        guard let instance else { return "snapshot" }
        let isName = instance.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isName, !instance.isEmpty, instance.utf8.count <= 64, !instance.hasPrefix(".") else {
            throw Failure(
                .own(.usage), "refused", "--instance", why: "not a name for a camera's units",
                hint: "use letters, digits, '-', '_' and '.'")
        }
        if let refusal = InstanceName.refusal(of: instance) { throw refusal }
        return "snapshot@\(instance)"
    }

    private func dropIns(_ unit: String, every interval: Duration, _ settings: Settings) throws(Failure)
        -> [DropIn]
    {
        let upload = try uploadDeadline(settings, interval: interval)
        let camera = try settings[Key.cameraTimeout]
        return [
            DropIn(
                unit: "\(unit).timer",
                text: TimerSchedule(every: interval).timerDropIn(spread: instance != nil)),
            DropIn(
                unit: "\(unit).service",
                text: TimerSchedule.serviceDropIn(
                    cameraTimeout: camera, uploadDeadline: upload, patience: try uploadPatience(settings))),
        ]
    }

    private func reload(_ unit: String, _ log: Log, _ environment: Environment) throws(Failure) {
        guard fileExists("/run/systemd/system") else {
            return log.write(.info, "hint: systemd is not running here; it reads them when it starts")
        }
        func systemctl(_ arguments: String...) throws(Failure) -> ChildResult {
            let command = Command("systemctl", arguments, environment: environment)
            return try Child.run(command, outputLimit: 4096, deadline: .after(.seconds(30)))
        }
        let result = try systemctl("daemon-reload")
        guard result.ending == .exited(0) else {
            throw .settings(
                "cannot reload", "systemd", why: "\(ForeignText(result.complaint))"
            )
        }
        if try systemctl("--quiet", "is-active", "\(unit).timer").ending != .exited(0) {
            log.write(.info, "hint: the timer is not running; start it: systemctl enable --now \(unit).timer")
        }
    }

}

/// A drop-in of one of our units.
private struct DropIn {
    let unit: String
    let text: String

    var path: String { "/etc/systemd/system/\(unit).d/interval.conf" }

    func write() throws(Failure) {
        do throws(SystemError) {
            try makeDirectory(parentDirectory(path), mode: 0o755)
            try writeDurably([Array(text.utf8)], to: path, temporary: path + ".new", mode: 0o644)
        } catch {
            let hint = error.number == EACCES ? "run it as root, or look at it first with --print" : nil
            throw .settings("cannot write", path, why: "\(error)", hint: hint)
        }
    }
}
