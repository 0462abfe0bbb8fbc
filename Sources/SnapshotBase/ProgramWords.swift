/// A command line as words with blanks or line breaks between them. `'…'` and `"…"` hold blanks, and `\` makes what follows
/// plain text: outside quotes anything, within `"…"` only `"` and `\`. Nothing else stands for anything, as there is no
/// shell. Nil where a quote or a backslash lacks its other half. Python's `shlex.split` cuts alike.
package func programWords(_ text: String) -> [String]? {
    var words: [String] = []
    var word: String.UnicodeScalarView?
    var quote: Unicode.Scalar?
    var rest = text.unicodeScalars[...]
    while let next = rest.popFirst() {
        if next == "\\", quote == nil || quote == "\"" && (rest.first == "\"" || rest.first == "\\") {
            guard let plain = rest.popFirst() else { return nil }
            word = (word ?? .init()) + [plain]
        } else if next == quote {
            quote = nil
        } else if quote == nil, next == "'" || next == "\"" {
            quote = next
            word = word ?? .init()
        } else if quote == nil, next == " " || next == "\t" || next == "\n" || next == "\r" {
            if let word { words.append(String(word)) }
            word = nil
        } else {
            word = (word ?? .init()) + [next]
        }
    }
    guard quote == nil else { return nil }
    return word.map { words + [String($0)] } ?? words
}

extension Secrets {
    /// Has what may be a secret in a program's argument hidden wherever it is repeated: all but options' names, short words
    /// and the names of files.
    package func note(argument: String) {
        let isOption = argument.hasPrefix("-")
        guard let value = isOption ? argument[...].cutAtFirst("=").map({ String($0.1) }) : argument else { return }
        note(url: value, hasSecretPath: false)
        guard value.unicodeScalars.count >= Self.shortest, !fileExists(value) else { return }
        note(value)
    }
}

extension ChildResult {
    /// More of a program's last words than are shown, so that a secret in them is whole.
    package static let stderrLimit = 1 << 16
    private static let shownLimit = 300

    /// The end of the last line on standard error that isn't blank, without secrets and control characters; nil where there
    /// is none.
    package func lastWords(hiding secrets: Secrets = .ofThisRun) -> String? {
        let lines = stderrTail.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        guard let line = lines.last(where: { $0.contains { $0 > 0x20 } }) else { return nil }
        let text = "\(ForeignText(line, limit: Self.stderrLimit, secrets: secrets))"
        return text.count > Self.shownLimit ? "…" + text.suffix(Self.shownLimit) : text
    }
}
