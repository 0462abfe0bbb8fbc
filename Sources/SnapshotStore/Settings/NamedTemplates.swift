import SnapshotBase
import SnapshotSettings

/// A setting that holds several names, each with a value that may contain fields.
package struct NamedTemplates: Equatable, Sendable {
    package struct Entry: Equatable, Sendable, CustomStringConvertible {
        package let name: String
        package let value: FieldTemplate

        package var description: String { "\(name)=\(value)" }
    }

    package let entries: [Entry]

    /// `name=value; name=value`. A value ends at the next `;`; blanks around names and values are ignored.
    package init(fields setting: Setting<String?>, of settings: Settings) throws(Failure) {
        guard let text = try settings[setting] else {
            entries = []
            return
        }
        var entries: [Entry] = []
        for piece in text[...].cut(at: ";").map(\.trimmed) where !piece.isEmpty {
            guard let (name, value) = piece.cutAtFirst("="), !name.trimmed.isEmpty else {
                throw settings.refusal(setting, rule: "must be name=value; name=value")
            }
            if value.trimmed.utf8.count >= 8 { Secrets.ofThisRun.register(String(value.trimmed)) }
            do throws(FieldTemplate.UnknownField) {
                entries.append(Entry(name: String(name.trimmed), value: try FieldTemplate(value.trimmed)))
            } catch {
                throw settings.refusal(setting, rule: error.rule)
            }
        }
        guard Set(entries.map(\.name)).count == entries.count else {
            throw settings.refusal(setting, rule: "must not have a name twice")
        }
        self.entries = entries
    }

    /// `Name: value`, one per line; the two characters `\n` also end a line. All are sent, even two of the same name,
    /// but Authorization and Content-Type may come only once.
    package init(headers setting: Setting<String?>, of settings: Settings) throws(Failure) {
        guard let text = try settings[setting] else {
            entries = []
            return
        }
        var entries: [Entry] = []
        var rest = text[...]
        var number = 0
        while !rest.isEmpty {
            let end = [rest.range(of: "\n"), rest.range(of: "\\n")].compactMap(\.self).min {
                $0.lowerBound < $1.lowerBound
            }
            let line = rest[..<(end?.lowerBound ?? rest.endIndex)].withoutReturn.trimmed
            rest = end.map { rest[$0.upperBound...] } ?? ""
            number += 1
            if line.isEmpty { continue }
            do throws(HeaderFlaw) { entries.append(try Self.header(line)) } catch {
                throw settings.refusal(setting, rule: "its line \(number) \(error.rule)")
            }
        }
        for name in ["Authorization", "Content-Type"]
        where entries.count(where: { $0.name.lowercased() == name.lowercased() }) > 1 {
            throw settings.refusal(setting, rule: "must not have \(name) twice")
        }
        self.entries = entries
    }

    package subscript(_ name: String) -> FieldTemplate? {
        entries.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    // MARK: Header lines

    private struct HeaderFlaw: Error { let rule: String }

    /// Headers that frame a request or concern the connection: libcurl decides about these, so the settings may not.
    private static let framing = [
        "connection", "content-encoding", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    private static func header(_ line: Substring) throws(HeaderFlaw) -> Entry {
        guard let (name, text) = line.cutAtFirst(":"), !name.isEmpty, name.utf8.allSatisfy(isTokenByte) else {
            throw HeaderFlaw(rule: "must be 'Name: value'")
        }
        let value = text.trimmed
        guard !value.isEmpty else { throw HeaderFlaw(rule: "has no value after \(name):") }
        guard value.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) else {
            throw HeaderFlaw(rule: "has characters in the value of \(name) that aren't printable ASCII")
        }
        guard !framing.contains(name.lowercased()) else {
            throw HeaderFlaw(rule: "sets \(name), which the program sets itself")
        }
        // The setting's whole text is a secret already; a server may echo a value alone, or what follows `Bearer`.
        for secret in [value] + value.split(separator: " ").filter({ $0.utf8.count >= 8 }) {
            Secrets.ofThisRun.register(String(secret))
        }
        do throws(FieldTemplate.UnknownField) {
            return Entry(name: String(name), value: try FieldTemplate(value))
        } catch {
            throw HeaderFlaw(rule: error.rule)
        }
    }

    /// Characters allowed in a header's name (RFC 9110, section 5.6.2).
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

extension Substring {
    /// Without the carriage return of a Windows line end.
    fileprivate var withoutReturn: Substring {
        utf8.last == UInt8(ascii: "\r") ? self[..<utf8.index(before: endIndex)] : self
    }
}
