import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotSettings
import SnapshotState

struct HealthCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Say whether pictures are taken and stored, from the state alone.",
        discussion: """
            Exit code: 0 healthy or degraded, 1 unhealthy, 64 usage, 74 root can't become the owner of STATE_PATH, \
            75 the settings file is in a folder that hangs, 78 settings; with --nagios 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
            """)

    enum Format: String, EnumerableFlag {
        case json, nagios, prometheus

        static func help(for value: Format) -> ArgumentHelp? {
            switch value {
            case .json: "One JSON object."
            case .nagios: "One line and exit codes as monitoring plugins have them."
            case .prometheus: "Prometheus' text format, for a textfile collector."
            }
        }
    }

    @OptionGroup var options: SettingsOptions

    @Flag var format: Format?

    func run(in context: ProcessContext) throws {
        let code = Self.run(as: format, options.log(in: context)) { () throws(Failure) in try options.read(in: context)
        }
        throw ExitCode(code)
    }

    /// The work of `snapshot health`, independent of the argument parser.
    /// - Returns: the exit code.
    static func run(as format: Format?, _ log: Log, _ readSettings: () throws(Failure) -> Settings) -> Int32 {
        exitStatus(reportingTo: log) { () throws(Failure) in
            do throws(Failure) { return try report(as: format, readSettings(), log) } catch {
                guard format == .nagios else { throw error }
                log.report(error)
                writeText(to: 1, "\(HealthReport.nagios(unknown: "\(error)"))\n")
                return 3
            }
        }
    }

    private static func report(as format: Format?, _ settings: Settings, _ log: Log) throws(Failure) -> Int32 {
        settings.warnings.forEach(log.warn)
        let settings = try settings.asOwner(makesState: false, readsSecrets: false)
        let isSet = try settings.value(Key.captureInterval) != nil
        let interval = try settings[Key.captureInterval].seconds
        let report = HealthReport(
            statePath: try stateDirectory(settings), now: settings.context.clock.now(),
            interval: isSet ? interval : nil,
            camera: try settings[Key.cameraName])
        switch format {
        case .json: writeText(to: 1, "\(report.json())\n")
        case .prometheus: writeText(to: 1, report.prometheus(board: Board(root: "")))
        case .nagios:
            let (line, code) = report.nagios()
            writeText(to: 1, "\(line)\n")
            return code
        case nil:
            let isTerminal = isatty(1) == 1
            writeText(
                to: 1,
                report.text(
                    colour: isTerminal && settings.context.environment["NO_COLOR"] == nil, latencies: isTerminal))
        }
        return report.isHealthyEnough ? 0 : 1
    }
}
