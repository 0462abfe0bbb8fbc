import Glibc
import SnapshotBase

/// The text of a settings file, for changing values; comments, order and all other lines are preserved.
package struct SettingsText: Equatable, Sendable {
    private var lines: [String]

    package init(_ bytes: [UInt8]) {
        lines = String(decoding: bytes, as: UTF8.self)[...].cut(at: "\n").map { String($0) }
        if lines.last == "" { lines.removeLast() }
    }

    package var bytes: [UInt8] { Array((lines.joined(separator: "\n") + "\n").utf8) }

    /// Sets a value; an empty one unsets it. A setting that is not in the text yet replaces its commented example, if
    /// any. A comment after the old value stays after the new one.
    package mutating func set(_ key: String, to value: String) {
        // Several lines, of HTTP headers, are written with `\n` between them.
        let lineFeeds = String(value.unicodeScalars.filter { $0 != "\r" })
        let line = "\(key)=\(Self.quoted(lineFeeds[...].cut(at: "\n").joined(separator: "\\n")))"
        let matches = lines.indices.filter { Self.key(of: lines[$0]) == key }
        if let last = matches.last {
            lines[last] = line + Self.comment(of: lines[last])
            // The last line takes effect; earlier ones may contain an old secret.
            for index in matches.dropLast().reversed() { remove(at: index) }
        } else if !value.isEmpty {
            if let example = lines.firstIndex(where: { Self.isExample($0, of: key) }) {
                lines[example] = line + Self.comment(of: lines[example])
            } else {
                lines.append(line)
            }
        }
    }

    /// Removes a line; the comment after its value becomes a line of its own.
    private mutating func remove(at index: Int) {
        let comment = String(Self.comment(of: lines[index]).dropFirst())
        if comment.isEmpty { lines.remove(at: index) } else { lines[index] = comment }
    }

    /// The comment after the line's value, with a blank in front; empty if there is none.
    private static func comment(of line: String) -> String {
        let text = line.utf8.last == UInt8(ascii: "\r") ? String(decoding: line.utf8.dropLast(), as: UTF8.self) : line
        return Dotenv.comment(afterValueOf: text).map { " \($0)" } ?? ""
    }

    /// Changes one value in a file, preserving its owner and mode.
    package static func write(_ setting: Setting<some Sendable>, _ value: String, to path: String) throws(Failure) {
        do throws(SystemError) {
            let file = try openFile(path, O_RDONLY)
            let facts = try file.status()
            var text = SettingsText(try file.readAll(limit: SettingsFile.longest))
            text.set(setting.key, to: value)
            try writeDurably(to: path, temporary: path + ".new", mode: 0o600) { new throws(SystemError) in
                guard fchown(new.descriptor, facts.st_uid, facts.st_gid) == 0,
                    fchmod(new.descriptor, facts.st_mode & 0o7777) == 0
                else { throw SystemError("chown") }
                try new.write(text.bytes)
            }
        } catch { throw .settings("cannot write \(setting.key) to", path, why: "\(error)") }
    }

    private static func key(of line: String) -> String? {
        (try? Dotenv.parse(Array(line.utf8), path: ""))?.first?.key
    }

    /// Whether a line is the commented example `#KEY=…`.
    private static func isExample(_ line: String, of key: String) -> Bool {
        line.utf8.first == UInt8(ascii: "#") && line.dropFirst().trimmed.utf8.starts(with: "\(key)=".utf8)
    }

    /// The value with only as much quoting as the `.env` syntax requires.
    static func quoted(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "_-./:@%+,=?&{}[]~*".utf8.contains(byte)
        }
        if isPlain { return value }
        if !value.utf8.contains(UInt8(ascii: "'")) { return "'\(value)'" }
        let escaped = value.unicodeScalars.map { "\"\\$`".unicodeScalars.contains($0) ? "\\\($0)" : "\($0)" }
        return "\"\(escaped.joined())\""
    }
}
