import SnapshotBase
import SnapshotHTTP
import SnapshotProcesses
import SnapshotSettings

/// A program that prints a picture. CAMERA_URL is split into words by a shell's rules of quoting, but no shell runs:
/// nothing is expanded.
struct ProgramKind: CameraKind {
    static let forms = ["exec:/PROGRAM ARGUMENTS…"]
    private let path: String
    private let arguments: [String]
    /// The whole command, since its arguments may hold secrets.
    let secretAddress: String

    init?(_ address: CameraAddress) throws(Failure) {
        guard let text = address.rest(after: "exec") else { return nil }
        guard let words = programWords(text) else {
            throw address.refusal("has an unclosed quote, or a backslash at its end")
        }
        guard let path = words.first, path.hasPrefix("/") else {
            throw address.refusal(
                "must have a program's absolute path after exec:",
                hint: "CAMERA_URL=exec:/usr/local/bin/PROGRAM ARGUMENTS")
        }
        self.path = path
        arguments = Array(words.dropFirst())
        secretAddress = text
        arguments.forEach(Secrets.ofThisRun.register(argument:))
    }

    var name: String { "a program" }
    var shown: String { path }
    var userInfo: (user: String, password: String?)? { nil }
    var needsFFmpeg: Bool { false }
    var trial: CameraTrial { .picture }

    func identity(_ settings: CameraSettings) -> String { "exec \(path)" }
    func tlsHost(_ settings: CameraSettings) -> HostAndPort? { nil }
    func streams(_ camera: CameraSettings, _ settings: Settings) -> [String] { [] }

    func hint(_ failure: HintedFailure, _ settings: CameraSettings) -> String? {
        switch failure {
        case .slow: "raise CAMERA_TIMEOUT if the program needs longer"
        case .empty, .page: "the program must print a JPEG, and nothing else, on its standard output"
        case .unresolved, .unreachable, .portClosed, .plainPort, .unanswered, .invalid, .redirect, .notFound,
            .streamRedirect, .noStream:
            nil
        }
    }

    func camera(_ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log) -> any Camera {
        var command = Command(path, arguments, environment: settings.context.environment)
        // Run it as this process's user, as captures do, so that a check tries the same.
        command.keepsUser = true
        command.leftBehindFile = trust.leftBehindFile
        return ProgramCamera(command: command, settings: settings)
    }
}

/// Runs a camera's program for one picture. The program gets no secret in its environment, and no descriptor of this
/// process.
struct ProgramCamera: Camera {
    let command: Command
    let settings: CameraSettings

    /// The time between SIGTERM and SIGKILL.
    private static let grace = Duration.seconds(1)

    func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        let result = try run(deadline)
        let said = result.lastWords().map { "; it said: \($0)" } ?? ""
        if result.isTooLong { throw .camera(HTTPFailure(kind: .tooLarge, why: ""), settings, over: "") }
        switch result.ending {
        case .exited(0) where !result.output.isEmpty: return result.output
        case .exited(0): throw failure(.picture(.empty), "it printed no picture\(said)", hint: settings.hint(.empty))
        case .exited(let status): throw failure(.camera(.status), "it ended with exit status \(status)\(said)")
        case .killed(let signal): throw failure(.camera(.status), "signal \(signal) killed it\(said)")
        case nil:
            throw failure(
                .camera(.timeout), "it took longer than CAMERA_TIMEOUT (\(settings.timeout.settingText))\(said)",
                hint: settings.hint(.slow))
        }
    }

    private func run(_ deadline: Deadline) throws(Failure) -> ChildResult {
        do throws(Failure) {
            return try Child.run(
                command, outputLimit: settings.maxBytes, stderrLimit: ChildResult.stderrLimit, deadline: deadline,
                grace: Self.grace)
        } catch {
            let hint =
                "it must be executable by the service's user, and a script begins with #! and its interpreter's path"
            throw failure(
                .camera(.file), error.why, what: "cannot run camera program",
                hint: error.isOfProgram ? hint : error.hint)
        }
    }

    private func failure(
        _ code: Failure.Code, _ why: String, what: String = "no picture from camera", hint: String? = nil
    ) -> Failure {
        Failure(code, what, settings.address, why: why, hint: hint)
    }
}
