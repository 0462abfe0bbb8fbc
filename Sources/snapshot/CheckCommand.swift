import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotCheck
import SnapshotSettings

struct CheckCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Try everything once and say what works.",
        discussion: """
            One line for each part, such as settings, state, spool, camera, storage, clock, ffmpeg, board and units: \
            ✓ works, ✗ doesn't, – doesn't apply. It ends within 20 s and never disturbs a capture. In camera and store it \
            leaves nothing behind, except a small object where a store neither checks hashes nor allows deletion. Under CAMERA_TLS_VERIFY=pin-first a key that is seen for the first time is pinned, as \
            by a capture. Run by root it tries the systemd service's settings in a copy of that service, so that what \
            its sandbox forbids fails here, too. Exit code: 0 if all that is necessary works, else that of the first \
            failure: 69 camera; 74 state or spool; 75 store; 77 credentials refused, or a camera that can't be \
            trusted; 78 settings.
            """)

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(
        help:
            "Forget the camera's pinned TLS key first, since the camera was replaced or reset; then pin the key it has now."
    )
    var forgetPin = false

    @Flag(help: "From now on use the folder although no disk is mounted there, since the disk was removed for good.")
    var acceptFolder = false

    /// Set by `snapshot check` itself when it runs in the service's sandbox: findings are printed as JSON lines for the
    /// process that started it, which checks the units.
    @Flag(help: .hidden)
    var inSandbox = false

    func run(in context: ProcessContext) throws {
        var printer = CheckPrinter(
            form: inSandbox ? .lines : json ? .object : .text,
            colour: isatty(1) == 1 && context.environment["NO_COLOR"] == nil, watch: context.clock.stopwatch())
        do throws(Failure) { try tryAll(context) { printer.print($0) } } catch {
            printer.print(.failed("settings", error))
        }
        throw ExitCode(printer.finish())
    }

    /// Runs the check in the service's sandbox if root asks and the service is installed, otherwise in this process.
    private func tryAll(_ context: ProcessContext, _ report: (Finding) -> Void) throws(Failure) {
        let settings = try options.read(in: context)
        let service = ServiceSettings(settings)
        var units = inSandbox ? [] : Check.units(settings)
        if !inSandbox, service != nil, !units.contains(where: \.isFailure),
            let sandbox = ServiceSandbox(settingsPath: settings.path, environment: context.environment)
        {
            guard let finding = sandbox.run(sandboxArguments(settings), report: report) else {
                return units.forEach(report)
            }
            units.append(finding)
        }
        let check = Check(
            settings, lockedCredentials: service?.lockedCredentials, areServiceSettings: service != nil, units: units,
            log: options.log(in: context))
        check.run(forgetsPin: forgetPin, acceptsFolder: acceptFolder, report)
    }

    private func sandboxArguments(_ settings: Settings) -> [String] {
        ["check", "--in-sandbox", "--config", settings.path ?? Settings.systemPath]
            + options.overrides.flatMap { ["--set", $0] }
            + (forgetPin ? ["--forget-pin"] : []) + (acceptFolder ? ["--accept-folder"] : [])
    }
}

/// Prints findings as they come (text, or JSON lines), or all of them at the end as one JSON object.
private struct CheckPrinter {
    enum Form { case text, object, lines }

    private let form: Form
    private let colour: Bool
    private let watch: Stopwatch
    private var findings: [Finding] = []

    init(form: Form, colour: Bool, watch: Stopwatch) {
        self.form = form
        self.colour = colour
        self.watch = watch
    }

    mutating func print(_ finding: Finding) {
        findings.append(finding)
        if form == .lines { writeText(to: 1, "\(finding.line)\n") }
        if form == .text { writeText(to: 1, finding.lines(colour: colour)) }
    }

    /// - Returns: the exit code.
    func finish() -> Int32 {
        let failed = findings.filter(\.isFailure)
        let code = failed.first?.exitCode ?? 0
        switch form {
        case .lines: break
        case .object:
            let tenths = (watch.elapsed.seconds * 10).rounded() / 10
            let object: JSONObject = [
                "ok": failed.isEmpty, "exit": Int(code), "seconds": tenths, "checks": findings.map(\.json),
            ]
            writeText(to: 1, "\(object.json)\n")
        case .text:
            let names = failed.reduce(into: [String]()) { if !$0.contains($1.subject) { $0.append($1.subject) } }
            let verdict = failed.isEmpty ? "all that is necessary works" : "not ready: \(names.joined(separator: ", "))"
            writeText(to: 1, "\(verdict)\n")
        }
        return code
    }
}
