import SnapshotBase

/// Cleans values that other programs pass through the environment with remains of the `.env` syntax. systemd's
/// `EnvironmentFile=` leaves the comment after a value: `door # c` stays as it is, `"door" # c` becomes `door# c`, and
/// an empty value becomes its comment, `# c`. Docker's `--env-file` leaves comments and quotes.
extension Settings {
    /// The value without such remains; nil if it is empty.
    /// - Throws: `Failure` if the value is ambiguous.
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
                    key, "begins with a quote, but isn't quoted as a whole",
                    hint: "remove the quote, or if it belongs to the value, \(Dotenv.quoting(quote))")
            }
            let whole = Dotenv.withoutLeftover(text[...])
            if key.kind.isFreeText, whole.endIndex < text.endIndex, !isComment(text[whole.endIndex...]) {
                throw refused(
                    key, "has a '#' after a blank, which may begin a comment or belong to the value",
                    hint: "remove the comment; if '#' belongs to the value, put quotes into it: '\"…\"'")
            }
            value = String(whole.trimmed)
        }
        return value.isEmpty ? nil : Value(text: value, origin: .environment)
    }

    private static func checkSecret(_ key: SettingDeclaration, _ text: String) throws(Failure) {
        guard Dotenv.withoutLeftover(text[...]).utf8.count == text.utf8.count else {
            throw refused(
                key, "has a '#' before or after a blank, which may begin a comment or belong to the secret",
                hint: "put the secret alone into a file and name that file in \(key.key)_FILE")
        }
        let quotes = text.utf8.first.map { "\"'".utf8.contains($0) && $0 == text.utf8.last } ?? false
        guard !quotes || text.utf8.count < 2 else {
            throw refused(
                key, "stands in quotes, as a container's --env-file leaves them",
                hint: "remove the quotes; if they belong to the secret, put it into a file that \(key.key)_FILE names")
        }
    }

    private static func refused(_ key: SettingDeclaration, _ rule: String, hint: String) -> Failure {
        .settings("refused", key.key, why: "its value from the environment \(rule)", hint: hint)
    }

    /// Whether `text` is surely a comment, like `# c`; `#1` may be part of the value.
    private static func isComment(_ text: Substring) -> Bool { text.dropFirst().first?.isBlank ?? true }

    /// One sentence for each removed comment that may have been meant as a part of the value.
    static func removedComments(_ environment: Environment, besides commandLine: NamedValues<String>) -> [String] {
        environment.entries.compactMap { name, text in
            guard text.utf8.contains(UInt8(ascii: "#")), let key = Key.declaration(of: name), key.kind.isFreeText,
                !key.isSecret, commandLine[name] == nil, Dotenv.quoted(text[...]) == nil,
                let value = try? fromEnvironment(key, text), text[...].trimmed.utf8.count > value.text.utf8.count
            else { return nil }
            return "\(key.key) from the environment is '\(value.text.printable(limit: 80))': "
                + "the rest was taken for a comment"
        }
    }
}
