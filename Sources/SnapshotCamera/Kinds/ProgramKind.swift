import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// A program that prints a picture. There is no shell: CAMERA_URL is cut into words as a shell would, and nothing in them
/// stands for anything else.
struct ProgramKind: CameraKind {
    static let forms = ["exec:/PROGRAM ARGUMENTS…"]
    private let path: String
    private let arguments: [String]
    /// All of it; arguments may hold secrets.
    let hidden: String

    init?(_ address: CameraAddress) throws(Failure) {
        guard let text = address.behind("exec") else { return nil }
        guard let words = Self.words(text) else {
            throw address.refusal("has a quote or a backslash without its other half")
        }
        guard let path = words.first, path.hasPrefix("/") else {
            throw address.refusal(
                "must have a program's whole path behind exec:",
                hint: "CAMERA_URL=exec:/usr/local/bin/PROGRAM ARGUMENTS")
        }
        self.path = path
        arguments = Array(words.dropFirst())
        hidden = text
        arguments.forEach(Self.noteSecrets)
    }

    var name: String { "a program" }
    var shown: String { path }
    var login: (user: String, password: String?)? { nil }
    var needsFFmpeg: Bool { false }
    var trial: CameraTrial { .picture }

    func place(_ settings: CameraSettings) -> String { "exec \(path)" }
    func tlsHost(_ settings: CameraSettings) -> TLSHost? { nil }
    func streams(_ camera: CameraSettings, _ settings: Settings) -> [String] { [] }

    func hint(_ trouble: CameraTrouble, _ settings: CameraSettings) -> String? {
        switch trouble {
        case .slow: "raise CAMERA_TIMEOUT if the program needs longer"
        case .empty, .page: "the program must print a JPEG, and nothing else, on its standard output"
        case .unresolved, .unreachable, .portClosed, .plainPort, .unanswered, .invalid, .redirect, .notFound,
            .streamRedirect, .noStream:
            nil
        }
    }

    func camera(_ settings: CameraSettings, client: HTTPClient, trust: CameraTrust, log: Log) -> any Camera {
        var command = Command(path, arguments, environment: settings.context.environment)
        // Whoever runs captures has chosen it: a check tries what captures will.
        command.keepsUser = true
        return ProgramCamera(command: command, settings: settings)
    }

    // MARK: Words

    /// Words with blanks between them. `'…'` and `"…"` hold blanks, and `\` makes what follows plain text: outside quotes
    /// anything, within `"…"` only `"` and `\`. Nil where a half is missing.
    static func words(_ text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var rest = text[...]
        while let next = rest.popFirst() {
            if next == "\\", quote == nil || quote == "\"" && (rest.first == "\"" || rest.first == "\\") {
                guard let plain = rest.popFirst() else { return nil }
                word = (word ?? "") + [plain]
            } else if next == quote {
                quote = nil
            } else if quote == nil, next == "'" || next == "\"" {
                quote = next
                word = word ?? ""
            } else if quote == nil, next.isBlank {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + [next]
            }
        }
        guard quote == nil else { return nil }
        return word.map { words + [$0] } ?? words
    }

    /// Has what may be a secret in an argument hidden wherever it is repeated: all but options' names, short words and the
    /// names of files.
    private static func noteSecrets(_ argument: String) {
        let isOption = argument.hasPrefix("-")
        guard let value = isOption ? argument[...].cutAtFirst("=").map({ String($0.1) }) : argument else { return }
        Secrets.ofThisRun.note(url: value, hasSecretPath: false)
        guard value.unicodeScalars.count >= Secrets.shortest, !fileExists(value) else { return }
        Secrets.ofThisRun.note(value)
    }
}

/// One run of that program. It gets nothing of what this program knows: no secret in its environment, no descriptor.
struct ProgramCamera: Camera {
    let command: Command
    let settings: CameraSettings

    /// How long it may take to end after SIGTERM.
    private static let grace = Duration.seconds(1)
    /// More of its last words than are shown, so that a secret in them is whole.
    private static let complaintLimit = 1 << 16
    private static let shownLimit = 300

    func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        let result = try run(deadline)
        let said = Self.lastWords(result.complaint).map { "; it said: \($0)" } ?? ""
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
        var facts = stat()
        let isThere = stat(command.program, &facts) == 0
        guard isThere, facts.st_mode & S_IFMT == S_IFREG, access(command.program, X_OK) == 0 else {
            let isNoFile = isThere && facts.st_mode & S_IFMT != S_IFREG
            throw unstarted(isNoFile ? "it isn't a file" : "\(SystemError("access"))")
        }
        do throws(Failure) {
            return try Child.run(
                command, outputLimit: settings.maxBytes, complaintLimit: Self.complaintLimit, deadline: deadline,
                grace: Self.grace)
        } catch {
            throw unstarted(error.why)
        }
    }

    private func unstarted(_ why: String) -> Failure {
        failure(
            .camera(.file), why, what: "cannot run camera program",
            hint: "it must be executable by the service's user, and a script begins with #! and its interpreter's path")
    }

    private func failure(
        _ code: Failure.Code, _ why: String, what: String = "no picture from camera", hint: String? = nil
    ) -> Failure {
        Failure(code, what, settings.address, why: why, hint: hint)
    }

    /// The end of the last line that isn't blank, without secrets and control characters; nil where there is none.
    static func lastWords(_ complaint: [UInt8], secrets: Secrets = .ofThisRun) -> String? {
        let lines = complaint.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        guard let line = lines.last(where: { $0.contains { $0 > 0x20 } }) else { return nil }
        let text = "\(ForeignText(line, limit: complaintLimit, secrets: secrets))"
        return text.count > shownLimit ? "…" + text.suffix(shownLimit) : text
    }
}
