/// Finds secrets in foreign text, whatever their case: plain, in base64, or with any of their characters encoded as in
/// URLs, JSON, HTML, C, shells or quoted-printable, even twice.
struct SecretSearch {
    private let text: ArraySlice<UInt8>
    /// The units that may begin at each position.
    private let units: [[EncodedUnit]]
    /// Possible base64 runs, each decoded at all four alignments, as other characters may precede the encoded text.
    private var runs: [(range: Range<Int>, decoded: [SecretSearch])] = []

    init(_ text: ArraySlice<UInt8>, readsBase64: Bool = true) {
        self.text = ArraySlice(Array(text))
        let reader = EncodedUnitReader(text: self.text)
        units = self.text.indices.map { position in
            let plain = text[text.startIndex + position]
            // Most bytes cannot begin an encoded form.
            return reader.mayBegin(plain) ? reader.units(at: position) : [EncodedUnit(.byte(plain), position + 1)]
        }
        if readsBase64 { findBase64() }
    }

    /// The ranges of `secret`, including one that is cut off by the end of the text.
    func ranges(of secret: String) -> [Range<Int>] {
        let scalars = Array(secret.unicodeScalars)
        guard !scalars.isEmpty else { return [] }
        return plainRanges(of: scalars)
            + runs.filter { $0.decoded.contains { !$0.plainRanges(of: scalars).isEmpty } }.map(\.range)
    }

    private func plainRanges(of scalars: [Unicode.Scalar]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var position = 0
        while position < text.count {
            if let end = end(of: scalars, from: position) {
                ranges.append(position..<end)
                position = end
            } else {
                position += 1
            }
        }
        return ranges
    }

    /// The end of `scalars` if they begin at `start`: the furthest if there are several readings.
    private func end(of scalars: [Unicode.Scalar], from start: Int) -> Int? {
        var positions: Set = [start]
        for (index, scalar) in scalars.enumerated() {
            // A secret that is cut off after four or more characters counts as found.
            if index >= 4, positions.contains(where: isCut) { return text.count }
            var next: Set<Int> = []
            for position in positions where position < text.count { next.formUnion(ends(of: scalar, at: position)) }
            guard !next.isEmpty else { return nil }
            positions = next
        }
        return positions.max()
    }

    /// Whether the text ends at `position`, or within an escape that begins there.
    private func isCut(_ position: Int) -> Bool {
        guard position < text.count else { return true }
        guard "%\\&=".utf8.contains(text[position]), text.count - position < 12 else { return false }
        return text[(position + 1)...].allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte & 0xDF) || "%\\#{".utf8.contains(byte)
        }
    }

    private func ends(of scalar: Unicode.Scalar, at position: Int) -> Set<Int> {
        var ends: Set<Int> = []
        for unit in units[position] where unit.matches(scalar) { ends.insert(unit.end) }
        guard !scalar.isASCII else { return ends }
        var positions: Set = [position]
        for byte in String(scalar).utf8 {
            positions = positions.reduce(into: []) { next, position in
                guard position < text.count else { return }
                for unit in units[position] where unit.content == .byte(byte) { next.insert(unit.end) }
            }
        }
        return ends.union(positions)
    }

    // MARK: base64

    private mutating func findBase64() {
        var position = 0
        while position < text.count {
            let start = position
            while position < text.count, Self.isInBase64(text[position]) { position += 1 }
            let run = text[start..<position]
            position += 1
            guard run.count >= 2 else { continue }
            let decoded = (0..<4).map { SecretSearch(Self.decoded(run.dropFirst($0))[...], readsBase64: false) }
            runs.append((run.startIndex..<run.endIndex, decoded))
        }
    }

    /// JSON may escape `/` as `\/`, and mail inserts line breaks.
    private static func isInBase64(_ byte: UInt8) -> Bool {
        base64Value(byte) != nil || byte == 10 || byte == 13 || byte == UInt8(ascii: "\\")
    }

    private static func base64Value(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 65...90: UInt32(byte) - 65
        case 97...122: UInt32(byte) - 71
        case 48...57: UInt32(byte) + 4
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }

    private static func decoded(_ run: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var (bits, count) = (UInt32(0), 0)
        for value in run.lazy.compactMap(base64Value) {
            bits = (bits << 6 | value) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }

    // MARK: URLs

    /// The ranges of user, password and query of every URL. In `…://user:password@host/…?query` everything before the
    /// last `@` of the word counts as login, as an unencoded password may contain any character.
    func logins() -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var position = 0
        while position + 3 <= text.count {
            guard text[position...].starts(with: "://".utf8) else {
                position += 1
                continue
            }
            let start = position + 3
            let end = text[start...].firstIndex { $0 <= 0x20 || $0 == UInt8(ascii: "'") || $0 == UInt8(ascii: "\"") }
            let word = text[start..<(end ?? text.count)]
            let host = word.lastIndex(of: UInt8(ascii: "@")) ?? start
            if host > start { ranges.append(start..<host) }
            if let query = word[host...].firstIndex(of: UInt8(ascii: "?")) {
                ranges.append((query + 1)..<word.endIndex)
            }
            position = max(word.endIndex, start)
        }
        return ranges
    }
}
