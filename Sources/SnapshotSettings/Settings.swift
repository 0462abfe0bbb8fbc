import Glibc
import SnapshotBase

/// The settings of one run, from all sources. Precedence: command line; credential files, each with one secret or URL
/// (systemd's, or named by KEY_FILE); environment; settings file. An empty value counts as unset.
package struct Settings: Sendable {
    /// Where a value came from.
    package enum Origin: Equatable, Sendable, CustomStringConvertible {
        case commandLine
        case credential(path: String)
        case environment
        case file(path: String, line: Int)
        /// An answer of `snapshot setup` that is not in the file yet.
        case answer

        /// False for a file that holds this value alone; true for all other origins.
        var isTyped: Bool { if case .credential = self { false } else { true } }

        package var description: String {
            switch self {
            case .commandLine: "the command line"
            case .credential(let path): path
            case .environment: "the environment"
            case .file(let path, let line): "\(path):\(line)"
            case .answer: "your answer"
            }
        }
    }

    /// The unparsed text of a setting, and its source.
    package struct Value: Sendable {
        package let text: String
        package let origin: Origin
    }

    private let commandLine: NamedValues<String>
    /// The environment, clocks and stop request of this process.
    package var context: ProcessContext
    var environment: Environment { context.environment }
    private let file: NamedValues<Dotenv.Entry>
    private var answers: [String] = []
    /// The contents of files that were read before this process gave up root privileges, by path.
    var filesRead: [String: Result<[UInt8], SystemError>] = [:]
    /// The path of the settings file that was read, if any.
    package let path: String?
    /// Probable mistakes in the settings that do not stop the run, one sentence each.
    package let warnings: [String]

    package static let systemPath = "/etc/snapshot/snapshot.env"

    /// - Parameters:
    ///   - path: the settings file named by `--config`; nil looks for `./.env`, then `/etc/snapshot/snapshot.env`.
    package init(
        commandLine: NamedValues<String> = [:], in context: ProcessContext, path: String? = nil
    ) throws(Failure) {
        var warnings: [String] = []
        let found: SettingsFile?
        if let path {
            found = try SettingsFile(named: path)
        } else {
            found = try SettingsFile.find { warnings.append($0) }
        }
        try self.init(commandLine: commandLine, in: context, file: found, warnings)
    }

    /// Settings that are still to be written, looked up as if they were in files already.
    /// - Parameters:
    ///   - secrets: values that will be written to files of their own.
    ///   - answers: the keys whose values are not in the file yet.
    package init(
        contents: [UInt8], of path: String, secrets: NamedValues<String>, answers: [String], in context: ProcessContext
    ) throws(Failure) {
        try self.init(commandLine: secrets, in: context, file: SettingsFile(path: path, bytes: contents), [])
        self.answers = answers
    }

    private init(
        commandLine: NamedValues<String>, in context: ProcessContext, file found: SettingsFile?,
        _ fileWarnings: [String]
    ) throws(Failure) {
        self.commandLine = commandLine
        self.context = context
        var warnings = fileWarnings
        self.path = found?.path
        var entries = NamedValues<Dotenv.Entry>()
        for entry in try found?.entries() ?? [] {
            entries[entry.key] = entry
            guard !Key.isKnown(entry.key) else { continue }
            let guess = Key.nearest(to: entry.key).map { "; did you mean \($0)?" } ?? ""
            // A name in another form is not shown: it may be a secret that was pasted into the wrong place.
            let isName = entry.key.utf8.allSatisfy { $0 == 95 || (48...57).contains($0) || (65...90).contains($0) }
            let position = "\(found?.path ?? ""):\(entry.line)"
            warnings.append("unknown setting \(isName ? entry.key : "(not shown)") in \(position)\(guess)")
        }
        file = entries
        self.warnings = warnings + Self.removedComments(context.environment, besides: commandLine)
    }

    package init(
        commandLine: NamedValues<String> = [:], environment: Environment, path: String? = nil
    ) throws(Failure) {
        try self.init(commandLine: commandLine, in: ProcessContext(environment: environment), path: path)
    }

    /// The text of `setting` from its first source, unparsed; nil if it is unset. Secrets are registered, so that
    /// messages hide them.
    package func value(_ setting: Setting<some Sendable>) throws(Failure) -> Value? {
        try value(setting.declaration)
    }

    package func value(_ declaration: SettingDeclaration) throws(Failure) -> Value? {
        let found = try lookUp(declaration)
        guard let found, !found.text.isEmpty else { return nil }
        switch declaration.secrecy {
        case .secret: Secrets.ofThisRun.register(found.text)
        case .url: Secrets.ofThisRun.register(url: found.text, hasSecretPath: false)
        case .urlWithSecretPath: Secrets.ofThisRun.register(url: found.text, hasSecretPath: true)
        case .open: break
        }
        if found.text.unicodeScalars.contains(where: {
            $0.isControl && !(declaration.kind.mayHaveLines && ($0 == "\n" || $0 == "\r"))
        }) {
            throw refusal(declaration, found, rule: "must not contain control characters or line breaks")
        }
        if found.text.unicodeScalars.contains("\u{FFFD}") {
            throw refusal(declaration, found, rule: "must be UTF-8 text")
        }
        // A value that really begins or ends with an invisible character is accepted from a file of its own.
        if let sign = invisibleCharacter(atEndsOf: found.text), found.origin.isTyped {
            throw refusal(
                declaration, found, rule: "begins or ends with an invisible character (\(sign)), as copied text may",
                hint: "delete the value and type it")
        }
        return found
    }

    /// The text of a setting for which an empty value is not the same as an unset one.
    package func valueOrEmpty(_ setting: Setting<String>) throws(Failure) -> String {
        let name = setting.key
        let first = commandLine[name] ?? environment[name] ?? file[name]?.value
        // A value that consists only of blanks and a comment counts as empty, too.
        return first == "" ? "" : try value(setting)?.text ?? first.map { _ in "" } ?? setting.defaultValue
    }

    private func lookUp(_ declaration: SettingDeclaration) throws(Failure) -> Value? {
        if let text = commandLine[declaration.key], !text.isEmpty { return Value(text: text, origin: .commandLine) }
        if declaration.mayComeFromFile, let value = try fromCredentialFile(declaration) { return value }
        if let text = environment[declaration.key], !text.isEmpty { return try Self.fromEnvironment(declaration, text) }
        if let entry = file[declaration.key], !entry.value.isEmpty {
            let isAnswer = answers.contains(declaration.key)
            return Value(text: entry.value, origin: isAnswer ? .answer : .file(path: path ?? "", line: entry.line))
        }
        return nil
    }

    private func fromCredentialFile(_ declaration: SettingDeclaration) throws(Failure) -> Value? {
        // An empty file counts as unset: units provide one for credentials that the user has not configured.
        for credential in credentialFiles(declaration) where filesRead[credential] != nil || fileExists(credential) {
            if let value = try read(credential, for: declaration) { return value }
        }
        guard let path = namedFile(declaration) else { return nil }
        if let flaw = unexpandedFlaw(in: path) {
            throw .settings("refused", "\(declaration.key)_FILE", why: flaw.rule, hint: flaw.hint)
        }
        return try read(path, for: declaration)
    }

    /// The files in systemd's credentials directory that may contain the setting.
    private func credentialFiles(_ declaration: SettingDeclaration) -> [String] {
        guard let directory = environment["CREDENTIALS_DIRECTORY"], !directory.isEmpty else { return [] }
        let name = declaration.key.lowercased()
        let dashed = String(name.map { $0 == "_" ? "-" : $0 })
        return [directory + "/" + dashed, directory + "/" + name]
    }

    /// The path of the credential file by which systemd provides `setting`, if there is one.
    package func systemdCredential(_ setting: Setting<some Sendable>) -> String? {
        credentialFiles(setting.declaration).first(where: fileExists)
    }

    /// The path in `KEY_FILE`, if it is set.
    private func namedFile(_ declaration: SettingDeclaration) -> String? {
        let name = declaration.key + "_FILE"
        if let path = environment[name], !path.isEmpty { return path }
        return file[name].flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    /// Reads the files that hold secrets, and AWS's config and credentials files where a setting names them, since perhaps
    /// only root can read them.
    package mutating func readNamedFiles() {
        var paths: [String] = []
        for declaration in [Key.awsSharedCredentialsFile.declaration, Key.awsConfigFile.declaration] {
            if let path = try? value(declaration)?.text { paths.append(path) }
        }
        for declaration in Key.all where declaration.mayComeFromFile {
            for path in credentialFiles(declaration) where fileExists(path) { paths.append(path) }
            if let path = namedFile(declaration) { paths.append(path) }
        }
        for path in paths where filesRead[path] == nil {
            filesRead[path] = Result { () throws(SystemError) in try contents(of: path, limit: 1 << 20) }
        }
    }

    /// The error for a value that breaks `rule`. It names the key, the value unless it is secret, the source and the
    /// rule.
    package func refusal(_ setting: Setting<some Sendable>, rule: String, hint: String? = nil) -> Failure {
        guard let value = try? value(setting) else {
            var failure = Failure.settings("refused", setting.key, why: rule, hint: hint)
            failure.setting = setting.key
            return failure
        }
        return refusal(setting.declaration, value, rule: rule, hint: hint)
    }

    func refusal(_ declaration: SettingDeclaration, _ value: Value, rule: String, hint: String? = nil) -> Failure {
        let shown = declaration.shown(value.text).map { "'\($0.printable(limit: 120))'" } ?? "(secret)"
        var failure = Failure.settings(
            "refused", "\(declaration.key)=\(shown)", why: "\(rule) (from \(value.origin))", hint: hint)
        failure.setting = declaration.key
        return failure
    }
}
