import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotSettings

@main
struct Snapshot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "One picture from a camera into S3, a folder or an HTTP endpoint.",
        discussion: """
            Settings come from the command line, credential files, the environment, and the first of ./.env and \
            \(Settings.systemPath). Exit codes: 0 stored, or another run holds the lock; 64 usage; 69 camera; \
            74 state or spool; 75 store (the picture waits in the spool), or a folder with settings that hangs; \
            77 credentials refused, or a camera that can't be trusted; 78 settings.
            """,
        version: snapshotVersion,
        subcommands: [
            SetupCommand.self, CaptureCommand.self, HealthCommand.self, CheckCommand.self, DrainCommand.self,
            ScheduleCommand.self,
            RelayCommand.self, SettingsCommand.self, ForgetCommand.self, DiscoverCommand.self,
        ],
        defaultSubcommand: CaptureCommand.self)

    /// Runs the command. `capture`, `health` and `relay`, as timers, monitors and units call them, bypass the argument
    /// parser, and so does `--version`. The parser costs more instructions than `health` itself, and would stay in the
    /// relay's memory. These commands end with `_exit`, which skips libcrypto's cleanup; no output is buffered.
    static func main() {
        // Ignore SIGPIPE and SIGXFSZ; EPIPE and EFBIG are handled where they occur.
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        var arguments = Array(CommandLine.arguments.dropFirst())
        var path: String?
        if let last = arguments.last, arguments.count > 2, !last.hasPrefix("-"), arguments.dropLast().last == "--config"
        {
            path = last
            arguments.removeLast(2)
        }
        let context = ProcessContext.current()
        let settings = { () throws(Failure) in try readSettings(path: path, in: context) }
        let log = Log("snapshot", in: context)
        switch arguments {
        case [], ["capture"]: _exit(CaptureJob(context: context).run(settings))
        case ["health"]: _exit(HealthCommand.run(as: nil, log, settings))
        case ["health", "--json"]: _exit(HealthCommand.run(as: .json, log, settings))
        case ["health", "--nagios"]: _exit(HealthCommand.run(as: .nagios, log, settings))
        case ["health", "--prometheus"]: _exit(HealthCommand.run(as: .prometheus, log, settings))
        case ["relay"]:
            _exit(exitStatus(reportingTo: log) { () throws(Failure) in try RelayCommand.run(settings(), log) })
        case ["--version"] where path == nil:
            writeText(to: 1, "\(snapshotVersion)\n")
            _exit(0)
        default:
            let names = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
            if let (error, hint) = MistypedCommand.refusal(arguments, commands: names) {
                log.write(.error, "error: \(error)")
                log.write(.error, "hint: \(hint)")
                _exit(ExitCode.validationFailure.rawValue)
            }
            do {
                var command = try parseAsRoot()
                // Commands of the argument parser itself: help and completions.
                guard let ours = command as? any SnapshotCommand else { return try command.run() }
                try ours.run(in: context)
            } catch { end(error, log) }
        }
    }

    /// Ends the program on an error. Help, which the parser throws, and `ExitCode` are left to the parser; mistakes in
    /// arguments are printed in the form of all other errors.
    private static func end(_ error: any Error, _ log: Log) -> Never {
        guard !(error is ExitCode), exitCode(for: error) == .validationFailure else { exit(withError: error) }
        let text = message(for: error).split(separator: "\n").joined(separator: " ")
        log.write(.error, "error: \(text.prefix(1).lowercased())\(text.dropFirst())")
        let help = fullMessage(for: error).split(separator: "\n").last { $0.contains("--help'") } ?? ""
        if let command = help.split(separator: "'").dropFirst().first { log.write(.error, "hint: see \(command)") }
        exit(withError: exitCode(for: error))
    }
}
