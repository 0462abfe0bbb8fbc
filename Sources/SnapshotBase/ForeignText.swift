/// Text that came from a camera, a store or another program. It becomes a String only without secrets and printable:
/// those of the settings are found however they are written.
package struct ForeignText: Sendable, CustomStringConvertible {
    private let bytes: [UInt8]
    private let limit: Int
    private let secrets: Secrets

    /// - Parameters:
    ///   - bytes: all that is known of the text, so that no secret is cut at the end of what is shown.
    ///   - limit: how many bytes are shown.
    package init(_ bytes: some Sequence<UInt8>, limit: Int = 200, secrets: Secrets = .ofThisRun) {
        self.bytes = Array(bytes)
        self.limit = limit
        self.secrets = secrets
    }

    package init(_ text: some StringProtocol, limit: Int = 200, secrets: Secrets = .ofThisRun) {
        self.init(text.utf8, limit: limit, secrets: secrets)
    }

    package var isEmpty: Bool { bytes.isEmpty }

    package var description: String { shown ?? "(not shown, it may hold a secret: \(kind) of \(bytes.count) bytes)" }

    /// Like `description`, with the number of bytes where not all are shown.
    package var start: String { shown.map { "\($0) (\(bytes.count) bytes)" } ?? description }

    /// nil where a secret is so short that the places without it would tell what it is.
    private var shown: String? {
        let known = secrets.all
        // A secret that begins within what is shown ends within this, whatever each of its characters is written as.
        let margin = min(65536, max(4096, 16 * (known.map(\.utf8.count).max() ?? 0)))
        let search = SecretSearch(bytes.prefix(limit + margin))
        var hidden: [Range<Int>] = []
        for secret in known {
            let found = search.ranges(of: secret)
            guard found.isEmpty || secret.unicodeScalars.count >= Secrets.shortest else { return nil }
            hidden += found
        }
        hidden += search.logins()
        return printable(hidden.sorted { $0.lowerBound < $1.lowerBound })
    }

    private func printable(_ hidden: [Range<Int>]) -> String {
        var text = ""
        var position = 0
        for range in hidden where range.upperBound > position {
            append(bytes[position..<max(position, range.lowerBound)], to: &text)
            if text.utf8.count >= limit { break }
            text += "***"
            position = range.upperBound
        }
        append(bytes[position...], to: &text)
        return text
    }

    private func append(_ part: ArraySlice<UInt8>, to text: inout String) {
        var parser = Unicode.UTF8.ForwardParser()
        var rest = part.makeIterator()
        var position = part.startIndex
        while position < part.endIndex {
            guard text.utf8.count < limit else {
                if !text.hasSuffix("…") { text += "…" }
                return
            }
            switch parser.parseScalar(from: &rest) {
            case .valid(let scalar):
                text.append(printable: Unicode.UTF8.decode(scalar))
                position += scalar.count
            case .error(let length):
                for byte in part[position..<min(position + length, part.endIndex)] {
                    text += "\\x" + byte.padded(2, radix: 16)
                }
                position += length
            case .emptyInput: return
            }
        }
    }

    private var kind: String {
        guard let text = String(validating: bytes, as: UTF8.self) else { return "data" }
        switch text.unicodeScalars.first(where: { !$0.properties.isWhitespace }) {
        case "{", "[": return "JSON"
        case "<": return "a page"
        default: return "a text"
        }
    }
}

/// The first bytes of something refused.
package func escapedStart(of bytes: [UInt8]) -> String { ForeignText(bytes, limit: 120).start }
