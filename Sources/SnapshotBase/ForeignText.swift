/// Text from a camera, a store or another program. As a String it is printable, with the secrets of this run replaced
/// by `***` in whatever encoding they appear.
package struct ForeignText: Sendable, CustomStringConvertible {
    private let bytes: [UInt8]
    private let limit: Int
    private let secrets: Secrets

    /// - Parameters:
    ///   - bytes: the whole known text, so that a secret that extends beyond the shown part is still recognised.
    ///   - limit: the number of bytes to show.
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

    /// Like `description`, followed by the size in bytes if the text is shown.
    package var start: String { shown.map { "\($0) (\(bytes.count) bytes)" } ?? description }

    /// The printable text; nil if it contains a secret so short that the replacement would reveal it.
    private var shown: String? {
        let known = secrets.all
        // Enough to contain the end of any secret that begins within the shown part, however it is encoded.
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

/// The beginning of rejected data, for a message.
package func escapedStart(of bytes: [UInt8]) -> String { ForeignText(bytes, limit: 120).start }
