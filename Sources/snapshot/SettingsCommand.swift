import ArgumentParser
import SnapshotBase
import SnapshotCheck
import SnapshotSettings

struct SettingsCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "Show every setting: what it means, its default, and the value in force.",
        discussion: """
            A secret's value is never shown, only where it comes from. A value that breaks its setting's rule is marked \
            as refused, with the rule: commands that need it end with exit code 78. `snapshot check` also tries what the settings \
            say.
            """)

    @Argument(
        help: ArgumentHelp("Only these settings.", valueName: "key"), completion: .list(Key.all.map(\.key)))
    var keys: [String] = []

    @Flag(help: "Print a JSON list.")
    var json = false

    @OptionGroup var options: SettingsOptions

    func run(in context: ProcessContext) throws {
        let log = options.log(in: context)
        try reporting(log) { () throws(Failure) -> Int32 in
            var wanted = keys.isEmpty ? Key.all : []
            for name in keys { wanted.append(try Key.named(name)) }
            let settings = try options.read(in: context)
            settings.warnings.forEach(log.warn)
            let refusals = SnapshotCheck.refusals(of: settings)
            let reports = wanted.map { SettingReport($0, settings, refusals: refusals) }
            if json {
                writeText(to: 1, "\(JSON.array(reports.map(\.json)))\n")
            } else {
                for report in reports { writeText(to: 1, "\(TerminalText(lines: report.text))\n") }
            }
            return 0
        }
    }
}
