import SnapshotBase

/// A parser for short XML answers: it finds the texts of elements by name, without namespace prefix. Only XML's five
/// predefined entities are expanded, and nesting is ignored, so hostile input does no harm.
package struct SmallXML {
    private let pieces: [Substring]

    /// Looks at the first 8 KiB.
    package init(_ bytes: some Collection<UInt8>) {
        pieces = String(decoding: bytes.prefix(8192), as: UTF8.self)[...].cut(at: "<")
    }

    /// The text of the first element of that name.
    package func first(_ name: String) -> String? { texts(of: name).first }

    /// The texts of all elements of that name, in their order; each ends at the next tag.
    package func texts(of name: String) -> [String] {
        pieces.compactMap { piece in
            guard let (tag, content) = piece.cutAtFirst(">"), tag.utf8.last != UInt8(ascii: "/") else { return nil }
            let whole = tag.prefix { !$0.isWhitespace }
            return (whole.cutAtLast(":")?.1 ?? whole) == name ? Self.decoded(content) : nil
        }
    }

    private static let entities = [("lt;", "<"), ("gt;", ">"), ("quot;", "\""), ("apos;", "'"), ("amp;", "&")]

    private static func decoded(_ text: Substring) -> String {
        var parts = text.cut(at: "&")
        var decoded = String(parts.removeFirst())
        for part in parts {
            let known = entities.first { part.utf8.starts(with: $0.0.utf8) }
            decoded += known.map { $0.1 + part.dropFirst($0.0.utf8.count) } ?? "&" + part
        }
        return decoded
    }
}
