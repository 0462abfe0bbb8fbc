import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotCheck
import SnapshotSettings
import SnapshotSetup

struct ScheduleCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Set how often systemd's timer takes a picture.",
        discussion: """
            Writes drop-ins for snapshot.timer and snapshot.service (or a camera's own, with --instance) under \
            /etc/systemd/system and has systemd read them. Where the interval is whole seconds that divide a minute, \
            whole minutes that divide an hour, or whole hours that divide a day, the timer goes by the calendar, which \
            does not drift; otherwise it counts from the last run. An INTERVAL that is given is also written as \
            CAPTURE_INTERVAL into the settings file. Without --config that file is /etc/snapshot/snapshot.env, even \
            beside a ./.env, or with --instance the camera's own.
            """)

    @Argument(
        help: "The interval, e.g. 5s or 2m; CAPTURE_INTERVAL of the settings unless given.",
        completion: .list(["5s", "10s", "30s", "1m", "5m", "1h"]))
    var interval: String?

    @Flag(name: .long, help: "Show the drop-ins and write nothing.")
    var print = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The camera whose timer it is, for snapshot@NAME.timer and /etc/snapshot/NAME.env.", valueName: "name"),
        completion: .custom { _, _, _ in InstanceName.all() })
    var instance: String?

    @OptionGroup var options: SettingsOptions

    /// Stays root, as `setup` does: units belong to root, and neither state nor pictures are touched.
    func run(in context: ProcessContext) throws {
        let log = options.log(in: context)
        try reporting(log) { () throws(Failure) -> Int32 in
            let unit = try unitName()
            let settings = try settings(in: context)
            let configured = try settings[Key.captureInterval]
            let interval = try wantedInterval() ?? configured
            let files = try DropIn.schedule(unit, every: interval, settings, spread: instance != nil)
            if print {
                for file in files {
                    writeText(to: 1, "# \(file.path)\n\(TerminalText(lines: file.text))\n")
                }
                return 0
            }
            for file in files { try file.write() }
            log.write(.info, "wrote \(files.map(\.path).joined(separator: " and "))")
            if interval != configured { try write(interval, settings, log) }
            try reload(unit, log, context.environment)
            return 0
        }
    }

    /// Health expects pictures at CAPTURE_INTERVAL, so the settings that the unit reads must agree with the timer.
    private func write(_ interval: Duration, _ settings: Settings, _ log: Log) throws(Failure) {
        guard let path = settings.path else {
            return log.write(
                .info, "hint: health expects a picture every CAPTURE_INTERVAL; set it to \(interval.settingText)")
        }
        try SettingsText.write(Key.captureInterval, interval.settingText, to: path)
        log.write(.info, "wrote CAPTURE_INTERVAL=\(interval.settingText) to \(path)")
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

    /// Reads the file of `--config`, or else that of `--instance`. Without both options it reads
    /// `/etc/snapshot/snapshot.env`, or if that is missing, the file that every other command finds.
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
        if let refusal = InstanceName.refusal(ofUnit: instance) { throw refusal }
        return "snapshot@\(instance)"
    }

    private func reload(_ unit: String, _ log: Log, _ environment: Environment) throws(Failure) {
        guard fileExists("/run/systemd/system") else {
            return log.write(.info, "hint: systemd isn't running here; it reads the drop-ins when it starts")
        }
        let systemd = Systemd(environment)
        try systemd.run("daemon-reload")
        if try !systemd.isActive("\(unit).timer") {
            log.write(.info, "hint: the timer is not running; start it: systemctl enable --now \(unit).timer")
        }
    }
}
