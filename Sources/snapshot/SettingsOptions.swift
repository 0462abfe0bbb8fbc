import ArgumentParser
import SnapshotBase
import SnapshotSettings

/// The options of every command that reads settings.
struct SettingsOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Read settings from FILE instead of ./.env or \(Settings.systemPath).", valueName: "file"),
        completion: .file(extensions: ["env"]))
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Override one setting; not for secrets, nor for URLs, which may hold one.", valueName: "KEY=VALUE"),
        completion: SettingsOptions.assignments)
    var overrides: [String] = []

    /// Completions of `--set`; secrets don't belong on a command line.
    static var assignments: CompletionKind { .list(Key.all.filter { !$0.mayComeFromFile }.map { $0.key + "=" }) }

    @Flag(name: [.short, .long], help: "Say more, on standard error.")
    var verbose = false

    /// The settings of the command line, the environment and the settings file.
    /// - Throws: a failure of kind settings.
    func read(in context: ProcessContext) throws(Failure) -> Settings {
        var commandLine = NamedValues<String>()
        for text in overrides {
            let name = String(text.prefix { $0 != "=" })
            guard let equals = text.firstIndex(of: "="), let key = Key.declaration(of: name) else {
                throw .settings(
                    "refused", "--set \(name.printable(limit: 40))",
                    why: text.contains("=") ? "there is no setting of that name" : "must be KEY=VALUE",
                    hint: Key.nearest(to: name).flatMap { $0 == name ? nil : "did you mean \($0)?" })
            }
            guard !key.mayComeFromFile else {
                throw .settings(
                    "refused", "--set \(key.key)", why: "everybody can see the command line",
                    hint: "put it into the settings file, or into a file named by \(key.key)_FILE")
            }
            commandLine[key.key] = String(text[text.index(after: equals)...])
        }
        return try readSettings(commandLine: commandLine, path: config, in: context)
    }

    func log(in context: ProcessContext) -> Log { Log("snapshot", isVerbose: verbose, in: context) }
}

/// Reads a command's settings. In root's shell the secrets that systemd passes to the services are added: without them
/// the login would be wrong, and a camera may lock the account after wrong logins.
func readSettings(
    commandLine: NamedValues<String> = [:], path: String?, in context: ProcessContext
) throws(Failure) -> Settings {
    let settings = try Settings(commandLine: commandLine, in: context, path: path)
    guard let directory = ServiceSettings(settings)?.readableCredentials else { return settings }
    var context = context
    context.environment["CREDENTIALS_DIRECTORY"] = directory
    return try Settings(commandLine: commandLine, in: context, path: path)
}

/// A command of this program. `main` passes the environment, the clock and the signals to it as `context`.
protocol SnapshotCommand: ParsableCommand {
    func run(in context: ProcessContext) throws
}

/// Runs a command's body, reports a failure, and throws the exit code.
func reporting(_ log: Log, _ body: () throws(Failure) -> Int32) throws -> Never {
    throw ExitCode(exitStatus(reportingTo: log, body))
}

/// Runs a command's body and reports a failure.
/// - Returns: the exit code.
func exitStatus(reportingTo log: Log, _ body: () throws(Failure) -> Int32) -> Int32 {
    do throws(Failure) { return try body() } catch {
        log.report(error)
        return error.exitCode
    }
}
