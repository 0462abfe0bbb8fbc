import SnapshotBase

/// Parses `.env` files: `KEY=value`, `export KEY=…`, quotes, comments, CRLF and a byte order mark.
///
/// Within double quotes a backslash escapes `"`, `\`, `$` and `` ` ``, as in a shell; within single quotes it is
/// literal. Variables are not expanded.
package enum Dotenv {
    package struct Entry: Equatable, Sendable {
        package let key: String
        package let value: String
        package let line: Int
    }

    /// - Throws: `Failure` with the code `settings`, which names `path:line` but never the value.
    package static func parse(_ bytes: [UInt8], path: String) throws(Failure) -> [Entry] {
        let bytes = withoutByteOrderMark(bytes)
        var entries: [Entry] = []
        var number = 0
        for rawLine in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let line = rawLine.last == UInt8(ascii: "\r") ? rawLine.dropLast() : rawLine
            guard let text = String(validating: line, as: UTF8.self) else {
                throw malformed(path, number, "not UTF-8 text", hint: "save the file as UTF-8")
            }
            if let entry = try parseLine(text, path: path, number: number) { entries.append(entry) }
        }
        return entries
    }

    /// The words before `=` or `:` in every line, even in lines or encodings that `parse` rejects.
    static func keys(_ bytes: [UInt8]) -> [Substring] {
        let text = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).map(\.trimmed).filter { $0.first != "#" }.flatMap { line in
            line.prefix { $0 != "=" && $0 != ":" }.split { !$0.isASCII || !($0.isLetter || $0.isNumber || $0 == "_") }
        }
    }

    private static func withoutExport(_ line: Substring) -> Substring {
        guard line.hasPrefix("export"), let next = line.dropFirst(6).first, next.isBlank else { return line }
        return line.dropFirst(6).trimmed
    }

    private static func parseLine(_ text: String, path: String, number: Int) throws(Failure) -> Entry? {
        if text[...].trimmed.isEmpty || text[...].trimmed.first == "#" { return nil }
        let rest = withoutExport(text[...].trimmed)
        guard let equals = rest.firstIndex(of: "=") else {
            throw malformed(
                path, number, "no '=' in this line", hint: "write KEY=value, and # before a comment")
        }
        let key = rest[..<equals].trimmed
        guard isName(key) else {
            throw malformed(
                path, number, "the text before '=' is not a name",
                hint: "names are letters, digits and _, and don't begin with a digit")
        }
        let value = try parseValue(rest[rest.index(after: equals)...], path: path, number: number)
        if value.unicodeScalars.contains(where: { $0.isControl && $0 != "\t" }) {
            throw malformed(path, number, "the value of \(key) holds a control character")
        }
        return Entry(key: String(key), value: value, line: number)
    }

    private static func parseValue(_ raw: Substring, path: String, number: Int) throws(Failure) -> String {
        let text = raw.trimmed
        guard let quote = quote(of: text) else { return String(withoutComment(raw).trimmed) }
        guard let (value, tail) = unquoted(text) else {
            throw malformed(
                path, number, "the quote \(quote) is not closed",
                hint: "put another \(quote) after the value, or if it belongs to the value, \(quoting(quote))")
        }
        guard tail.trimmed.isEmpty || (tail.first?.isBlank == true && tail.trimmed.first == "#") else {
            throw malformed(
                path, number, "text after the closing quote",
                hint: "put the whole value between the quotes, or if they belong to it, \(quoting(quote))")
        }
        return value
    }

    /// The comment after the value in a line `KEY=value # comment`, from `#` on; nil if there is none.
    static func comment(afterValueOf line: String) -> Substring? {
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let raw = line[line.index(after: equals)...]
        let tail: Substring
        if quote(of: raw.trimmed) == nil {
            tail = raw[withoutComment(raw).endIndex...]
        } else {
            tail = unquoted(raw.trimmed)?.tail ?? ""
        }
        let comment = tail.trimmed
        return comment.first == "#" ? comment : nil
    }

    /// What to do where `quote` begins a value and belongs to it.
    static func quoting(_ quote: Character) -> String {
        quote == "'" ? "put double quotes around all of it: \"…\"" : "put single quotes around all of it: '…'"
    }

    private static func quote(of text: Substring) -> Character? {
        text.first.flatMap { $0 == "\"" || $0 == "'" ? $0 : nil }
    }

    /// The value between the quotes that `text` begins with, and the text after them; nil if they are not closed.
    private static func unquoted(_ text: Substring) -> (value: String, tail: Substring)? {
        guard let quote = quote(of: text) else { return nil }
        var value = ""
        var position = text.index(after: text.startIndex)
        while position < text.endIndex, text[position] != quote {
            let next = text.index(after: position)
            if quote == "\"", text[position] == "\\", next < text.endIndex, "\"\\$`".contains(text[next]) {
                position = next
            }
            value.append(text[position])
            position = text.index(after: position)
        }
        guard position < text.endIndex else { return nil }
        return (value, text[text.index(after: position)...])
    }

    /// An unquoted value without its comment; a comment begins with white space and `#`.
    private static func withoutComment(_ text: Substring) -> Substring {
        var previousIsBlank = false
        for index in text.indices {
            if text[index] == "#", previousIsBlank { return text[..<index] }
            previousIsBlank = text[index].isBlank
        }
        return text
    }

    /// A value from the environment without a comment that was left on it.
    static func withoutLeftover(_ text: Substring) -> Substring {
        guard text.utf8.contains(UInt8(ascii: "#")) else { return text }
        let marks = text.indices.filter { text[$0] == "#" }
        let begin = marks.first { mark in
            let next = text.index(after: mark)
            return (mark > text.startIndex && text[text.index(before: mark)].isBlank)
                || (next < text.endIndex && text[next].isBlank)
        }
        return text[..<(begin ?? text.endIndex)]
    }

    /// The text within quotes; nil if there is anything else but a comment.
    static func quoted(_ text: Substring) -> String? {
        guard quote(of: text.trimmed) != nil else { return nil }
        return try? parseValue(text, path: "", number: 0)
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (48...57).contains(byte) || (65...90).contains(byte)
                || (97...122).contains(byte)
        }
    }

    private static func malformed(_ path: String, _ line: Int, _ why: String, hint: String? = nil) -> Failure {
        .settings("malformed line", "\(path):\(line)", why: why, hint: hint)
    }
}

extension Substring {
    package var trimmed: Substring {
        var text = self
        while let first = text.first, first.isBlank { text.removeFirst() }
        while let last = text.last, last.isBlank { text.removeLast() }
        return text
    }
}

extension Character {
    package var isBlank: Bool { self == " " || self == "\t" }
}

/// Removes the UTF-8 byte order mark that some Windows editors write.
package func withoutByteOrderMark(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
}
