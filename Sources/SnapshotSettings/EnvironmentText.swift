import SnapshotBase

/// What others leave on a value that comes through the environment: systemd's `EnvironmentFile=` an inline comment
/// (`door # c`; of `"door" # c` it makes `door# c`, of an empty value `# c`), Docker's `--env-file` that and the quotes.
extension Settings {
    /// The value as it was meant.
    /// - Throws: the refusal of one that could be meant in two ways.
    static func fromEnvironment(_ key: SettingDeclaration, _ text: String) throws(Failure) -> Value? {
        if case .secret = key.secrecy {
            try checkSecret(key, text)
            return Value(text: text, origin: .environment)
        }
        let value: String
        if let quoted = Dotenv.quoted(text[...]) {
            value = quoted
        } else {
            let trimmed = text[...].trimmed
            if let quote = trimmed.first, quote == "\"" || quote == "'" {
                throw refused(
                    key, "begins with a quote that isn't its last character, too",
                    hint: "close the quote behind the value, or drop it")
            }
            let whole = Dotenv.withoutLeftover(text[...])
            if key.kind.isFreeText, whole.endIndex < text.endIndex, !isComment(text[whole.endIndex...]) {
                throw refused(
                    key, "has a blank and a '#': a comment, or a part of it",
                    hint: "drop the comment; a '#' that is meant wants quotes within the value: '\"…\"'")
            }
            value = String(whole.trimmed)
        }
        return value.isEmpty ? nil : Value(text: value, origin: .environment)
    }

    private static func checkSecret(_ key: SettingDeclaration, _ text: String) throws(Failure) {
        guard Dotenv.withoutLeftover(text[...]).utf8.count == text.utf8.count else {
            throw refused(
                key, "has a '#' beside a blank, perhaps a comment that was left on it",
                hint: "put the secret alone into a file and name that file in \(key.key)_FILE")
        }
        let quotes = text.utf8.first.map { "\"'".utf8.contains($0) && $0 == text.utf8.last } ?? false
        guard !quotes || text.utf8.count < 2 else {
            throw refused(
                key, "stands in quotes, as a container's --env-file leaves them",
                hint: "drop the quotes; a secret that has them goes into a file, and \(key.key)_FILE names that")
        }
    }

    private static func refused(_ key: SettingDeclaration, _ rule: String, hint: String) -> Failure {
        .settings("refused", key.key, why: "its value from the environment \(rule)", hint: hint)
    }

    /// `# c`; `#1` may as well be a part of the value.
    private static func isComment(_ text: Substring) -> Bool { text.dropFirst().first?.isBlank ?? true }

    /// A sentence for each comment that is taken off a value that might have held it.
    static func leftComments(_ environment: Environment, besides commandLine: Named<String>) -> [String] {
        environment.entries.compactMap { name, text in
            guard text.utf8.contains(UInt8(ascii: "#")), let key = Key.declaration(of: name), key.kind.isFreeText,
                !key.isSecret, commandLine[name] == nil, Dotenv.quoted(text[...]) == nil,
                let value = try? fromEnvironment(key, text), text[...].trimmed.utf8.count > value.text.utf8.count
            else { return nil }
            return "\(key.key) from the environment is '\(value.text.printable(limit: 80))': "
                + "what follows is taken for a comment"
        }
    }
}
