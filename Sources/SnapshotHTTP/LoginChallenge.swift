import SnapshotBase

/// One authentication method that a server offers in `WWW-Authenticate`.
package struct LoginChallenge: Equatable, Sendable {
    /// The name of the scheme in lower case.
    package let scheme: String
    /// The parameters by lower-case name.
    package let fields: [String: String]

    package var isStale: Bool { fields["stale"]?.lowercased() == "true" }

    /// All challenges in the values of `WWW-Authenticate`, in order; one value may contain several.
    package static func all(_ values: [String]) -> [LoginChallenge] {
        values.flatMap { value in
            var found: [(scheme: String, fields: [String: String])] = []
            for piece in pieces(value) {
                var piece = piece[...].trimmed
                // `Digest realm="x"` begins another challenge; `nonce="y"` belongs to the current one.
                let word = piece.prefix { !$0.isBlank && $0 != "=" }
                if piece[word.endIndex...].trimmed.first != "=" {
                    found.append((word.lowercased(), [:]))
                    piece = piece[word.endIndex...].trimmed
                }
                guard let (name, text) = piece.cutAtFirst("="), let last = found.indices.last else { continue }
                found[last].fields[name.trimmed.lowercased()] = unquoted(text.trimmed)
            }
            return found.map { LoginChallenge(scheme: $0.scheme, fields: $0.fields) }
        }
    }

    /// The parts between commas that are not within quotes.
    private static func pieces(_ value: String) -> [String] {
        var pieces: [String] = []
        var piece = String.UnicodeScalarView()
        var isQuoted = false
        var isEscaped = false
        for scalar in value.unicodeScalars {
            if scalar == ",", !isQuoted {
                pieces.append(String(piece))
                piece = String.UnicodeScalarView()
                continue
            }
            if scalar == "\"", !isEscaped { isQuoted.toggle() }
            isEscaped = scalar == "\\" && isQuoted && !isEscaped
            piece.append(scalar)
        }
        return (pieces + [String(piece)]).filter { !$0[...].trimmed.isEmpty }
    }

    private static func unquoted(_ text: Substring) -> String {
        guard text.unicodeScalars.first == "\"" else { return String(text) }
        var result = String.UnicodeScalarView()
        var isEscaped = false
        for scalar in text.unicodeScalars.dropFirst() {
            if !isEscaped, scalar == "\"" { break }
            isEscaped = scalar == "\\" && !isEscaped
            if !isEscaped { result.append(scalar) }
        }
        return String(result)
    }
}
