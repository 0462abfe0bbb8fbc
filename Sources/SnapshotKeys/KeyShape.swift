import SnapshotBase

/// The pattern of KEY_TEMPLATE's keys, folder by folder. It finds stored pictures that the ledger doesn't have.
package struct KeyShape: Sendable {
    private enum Piece: Equatable, Sendable {
        case byte(UInt8)
        /// A digit of a field such as `yyyy`.
        case digit(String)
        case sign
    }

    /// One pattern per folder, and the last for the file.
    private let parts: [[Piece]]

    package var depth: Int { parts.count }

    /// - Parameter suffix: replaces `.jpg` at the end of the file's name; a recording has `.mp4`.
    package init(_ template: KeyTemplate, camera: String, suffix: String? = nil) {
        var pieces = template.parts.flatMap { part -> [Piece] in
            switch part {
            case .text(let text): return text.utf8.map(Piece.byte)
            case .field("camera"): return camera.utf8.map(Piece.byte)
            case .field(let name): return Self.pieces(of: name)
            }
        }
        if let suffix {
            let usual = Array(".jpg".utf8).map(Piece.byte)
            if pieces.suffix(usual.count).elementsEqual(usual) { pieces.removeLast(usual.count) }
            pieces += suffix.utf8.map(Piece.byte)
        }
        parts = pieces.split(separator: .byte(UInt8(ascii: "/")), omittingEmptySubsequences: false).map(Array.init)
    }

    /// The pattern of a field's values: any digit matches where a value has one.
    private static func pieces(of field: String) -> [Piece] {
        KeyTemplate(parts: [.field(field)]).key(camera: "", at: Timestamp(milliseconds: 0)).utf8.map { byte in
            switch byte {
            case 48...57: .digit(field)
            case UInt8(ascii: "+"), UInt8(ascii: "-"): .sign
            default: .byte(byte)
            }
        }
    }

    /// Whether the name matches the pattern at `depth`: a file's at the last depth, a folder's at the others.
    package func matches(_ name: some StringProtocol, at depth: Int) -> Bool {
        guard depth < parts.count, parts[depth].count == name.utf8.count else { return false }
        return zip(parts[depth], name.utf8).allSatisfy { piece, byte in
            switch piece {
            case .byte(let wanted): byte == wanted
            case .digit: (48...57).contains(byte)
            case .sign: byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            }
        }
    }

    /// The capture time that a key contains, taken as UTC; nil where it doesn't contain the day.
    package func time(of key: String) -> Timestamp? {
        var digits = NamedValues<String>()
        for (piece, byte) in zip(parts.joined(separator: [.byte(UInt8(ascii: "/"))]), key.utf8) {
            guard case .digit(let field) = piece else { continue }
            let name = field.hasPrefix("local_") ? String(field.dropFirst(6)) : field
            digits[name] = (digits[name] ?? "") + String(Unicode.Scalar(byte))
        }
        if let whole = digits["timestamp"], whole.utf8.count >= 17 {
            let names = [("yyyy", 4), ("MM", 2), ("dd", 2), ("HH", 2), ("mm", 2), ("ss", 2), ("SSS", 3)]
            var rest = whole[...]
            for (name, length) in names {
                digits[name] = String(rest.prefix(length))
                rest = rest.dropFirst(length)
            }
        }
        guard let year = digits["yyyy"], let month = digits["MM"], let day = digits["dd"] else { return nil }
        // A field that is in the template twice has the same digits both times.
        func first(_ name: String, _ length: Int) -> String { String((digits[name] ?? "000").prefix(length)) }
        return Timestamp(
            iso8601: "\(year.prefix(4))-\(month.prefix(2))-\(day.prefix(2))"
                + "T\(first("HH", 2)):\(first("mm", 2)):\(first("ss", 2)).\(first("SSS", 3))Z")
    }
}
