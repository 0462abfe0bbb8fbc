import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotSettings

/// What every command that reads settings takes.
struct SettingsOptions: ParsableArguments {
    @Option(name: .long, help: "Read settings from FILE instead of ./.env or \(Settings.systemPath).")
    var config: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Override one setting; not for secrets.", valueName: "KEY=VALUE"),
        completion: .list(Key.all.filter { !$0.mayComeFromFile }.map { $0.key + "=" }))
    var overrides: [String] = []

    @Flag(name: [.short, .long], help: "Say more, on standard error.")
    var verbose = false

    /// - Throws: `Failure` of kind settings.
    func read() throws(Failure) -> Settings {
        var commandLine = Named<String>()
        for text in overrides {
            guard let equals = text.firstIndex(of: "="),
                let key = Key.declaration(of: String(text[..<equals]))
            else {
                throw .settings(
                    "refused", "--set \(text.prefix { $0 != "=" }.description.printable(limit: 40))",
                    why: "must be KEY=VALUE with a known key")
            }
            guard !key.mayComeFromFile else {
                throw .settings(
                    "refused", "--set \(key.key)", why: "everybody can see the command line",
                    hint: "put it into the settings file, or into a file named by \(key.key)_FILE")
            }
            commandLine[key.key] = String(text[text.index(after: equals)...])
        }
        return try readSettings(commandLine: commandLine, path: config)
    }

    func log() -> Log { Log("snapshot", isVerbose: verbose) }
}

/// A command's settings. Root's shell is given the secrets that lie beside the services' settings: a login without them is a
/// wrong one, and a camera may lock the account for it.
func readSettings(commandLine: Named<String> = [:], path: String?) throws(Failure) -> Settings {
    var environment = currentEnvironment()
    let settings = try Settings(commandLine: commandLine, environment: environment, path: path)
    guard let directory = ServiceSettings(settings)?.readableCredentials else { return settings }
    environment["CREDENTIALS_DIRECTORY"] = directory
    return try Settings(commandLine: commandLine, environment: environment, path: path)
}

/// The environment, where of equal names the first counts, as for getenv.
func currentEnvironment() -> Named<String> {
    var values = Named<String>()
    var entry = environ
    while let text = entry.pointee {
        if let equals = strchr(text, Int32(UInt8(ascii: "="))) {
            let name = String(decoding: UnsafeRawBufferPointer(start: text, count: equals - text), as: UTF8.self)
            if values[name] == nil { values.append(name, String(cString: equals + 1)) }
        }
        entry += 1
    }
    return values
}

/// Runs a command's body, tells a failure and leaves with the exit code.
func reporting(_ log: Log, _ body: () throws(Failure) -> Int32) throws -> Never {
    throw ExitCode(code(telling: log, body))
}

/// Runs a command's body and tells a failure.
func code(telling log: Log, _ body: () throws(Failure) -> Int32) -> Int32 {
    do throws(Failure) { return try body() } catch {
        log.report(error)
        return error.exitCode
    }
}
