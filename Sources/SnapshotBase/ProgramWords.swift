/// Splits a command line at blanks and line breaks, as Python's `shlex.split` does. `'…'` and `"…"` keep blanks; `\`
/// makes the next character literal: any outside quotes, only `"` and `\` within `"…"`. There is no other expansion, as
/// no shell is involved.
/// - Returns: nil if a quote is not closed, or a backslash ends the text.
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
    /// Registers the parts of a program's argument that may be secret, so that they are hidden in messages: everything
    /// but option names, short words and names of files.
    package func register(argument: String) {
        let isOption = argument.hasPrefix("-")
        guard let value = isOption ? argument[...].cutAtFirst("=").map({ String($0.1) }) : argument else { return }
        register(url: value, hasSecretPath: false)
        guard value.unicodeScalars.count >= Self.shortest, FileSystems.mountThatMayHang(value) == nil,
            !fileExists(value)
        else { return }
        register(value)
    }
}

extension Secrets {
    /// Registers what looks like a credential in the standard error of a `credential_process`: words after a name such
    /// as `SecretAccessKey` or `token`, and long words of letters and digits that are not names of hosts or files.
    package func register(credentialStderr output: [UInt8]) {
        let words = output.suffix(4096).split { $0 <= 0x20 || "\"',:{}=".utf8.contains($0) }
        var isNamed = false
        for word in words.map({ String(decoding: $0, as: UTF8.self) }) {
            let isLong = word.utf8.count >= 16 && !word.utf8.contains(UInt8(ascii: "."))
            let isMixed = word.utf8.contains { (48...57).contains($0) } && word.utf8.contains { $0 >= 65 }
            if isLong && isMixed || isNamed && word.utf8.count >= 4 { register(token: word) }
            let name = word.lowercased()
            isNamed = ["secret", "token", "password", "accesskey", "accesskeyid"].contains(where: name.hasSuffix)
        }
    }
}
