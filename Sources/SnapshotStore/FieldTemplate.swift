import SnapshotBase
import SnapshotHTTP
import SnapshotKeys
import SnapshotState

/// Text with fields such as `{camera}` that each object fills in. Other braces are literal, so a value may be JSON.
package struct FieldTemplate: Equatable, Sendable, CustomStringConvertible {
    /// The fields of KEY_TEMPLATE, the key itself, and the key's last part.
    package static let fields = KeyTemplate.fields + ["key", "filename"]

    /// The template as it was set.
    package let description: String
    /// Alternating text and field names; the last piece has no field.
    private let pieces: [Piece]

    private struct Piece: Equatable, Sendable {
        var text: String
        var field: String?
    }

    package struct UnknownField: Error {
        package let name: String
        package var rule: String {
            "has the unknown field {\(name)}; there are "
                + FieldTemplate.fields.map { "{\($0)}" }.joined(separator: " ")
        }
    }

    /// - Throws: where the text has a name in braces that is none of `fields`.
    package init(_ text: some StringProtocol) throws(UnknownField) {
        description = String(text)
        var pieces: [Piece] = []
        var piece = Piece(text: "")
        var rest = Substring(text)
        while let (before, after) = rest.cutAtFirst("{") {
            piece.text += before
            let (name, _) = after.cutAtFirst("}") ?? ("", "")
            if name.isEmpty || !name.utf8.allSatisfy(isNameByte) {
                piece.text += "{"
                rest = after
                continue
            }
            guard Self.fields.contains(String(name)) else { throw UnknownField(name: String(name)) }
            piece.field = String(name)
            pieces.append(piece)
            piece = Piece(text: "")
            rest = after[name.endIndex...].dropFirst()
        }
        piece.text += rest
        self.pieces = pieces + [piece]
    }

    /// The text for `object`; `encode` encodes each value, e.g. by percent-encoding.
    func text(for object: StoredObject, encode: (_ field: String, _ value: String) -> String = { $1 }) -> String {
        pieces.reduce(into: "") { text, piece in
            text += piece.text
            guard let field = piece.field else { return }
            let value =
                switch field {
                case "key": object.key
                case "filename": object.fileName
                default:
                    KeyTemplate.values(
                        camera: object.camera, at: object.capturedAt, withLocal: KeyTemplate.local.contains(field))[
                            field] ?? ""
                }
            text += encode(field, value)
        }
    }
}

/// Letters, digits and `_`.
private func isNameByte(_ byte: UInt8) -> Bool {
    byte == 95 || (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
}
