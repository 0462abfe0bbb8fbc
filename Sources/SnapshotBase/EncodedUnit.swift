/// One decoded byte or character at a position of an encoded text.
struct EncodedUnit: Equatable {
    enum Content: Equatable {
        case byte(UInt8)
        case scalar(UInt32)
        /// A named HTML entity: any character but an ASCII letter or digit.
        case named
    }

    let content: Content
    /// The position after the encoded unit.
    let end: Int

    init(_ content: Content, _ end: Int) {
        self.content = content
        self.end = end
    }

    /// Whether the unit may represent `scalar`, ignoring ASCII case; a byte above ASCII may be Latin-1.
    func matches(_ scalar: Unicode.Scalar) -> Bool {
        switch content {
        case .byte(let byte): Self.folded(UInt32(byte)) == Self.folded(scalar.value)
        case .scalar(let value): Self.folded(value) == Self.folded(scalar.value)
        case .named: !(48...57).contains(scalar.value) && !(65...90).contains(Self.folded(scalar.value))
        }
    }

    /// Converts lower-case ASCII letters to upper case.
    private static func folded(_ value: UInt32) -> UInt32 {
        (97...122).contains(value) ? value - 32 : value
    }
}

/// Decodes the units that may begin at a position of a text, one for each encoding that fits.
struct EncodedUnitReader {
    let text: ArraySlice<UInt8>

    /// Whether `byte` may begin an encoded form of another character.
    func mayBegin(_ byte: UInt8) -> Bool { "%+=\\&'".utf8.contains(byte) }

    func units(at position: Int) -> [EncodedUnit] {
        var units = [EncodedUnit(.byte(text[position]), position + 1)]
        switch text[position] {
        case UInt8(ascii: "+"): units.append(EncodedUnit(.byte(0x20), position + 1))
        case UInt8(ascii: "%"): units += percent(position + 1)
        case UInt8(ascii: "="): units += quotedPrintable(position + 1)
        case UInt8(ascii: "\\"): units += backslash(position)
        case UInt8(ascii: "&"): units += entity(position + 1)
        // A single quote within single quotes, as shells and ffmpeg's lists write it.
        case _ where text[position...].starts(with: #"'\''"#.utf8):
            units.append(EncodedUnit(.byte(UInt8(ascii: "'")), position + 4))
        default: break
        }
        return units
    }

    /// Decodes `%41`, `%2541` and `%u00e9`; `start` is after the first percent sign.
    private func percent(_ start: Int) -> [EncodedUnit] {
        var position = start
        var units: [EncodedUnit] = []
        while true {
            if let byte = number(position, digits: 2) { units.append(EncodedUnit(.byte(UInt8(byte)), position + 2)) }
            if position < text.count, text[position] | 0x20 == UInt8(ascii: "u"),
                let value = number(position + 1, digits: 4)
            {
                units.append(EncodedUnit(.scalar(value), position + 5))
            }
            guard text[min(position, text.count)...].starts(with: "25".utf8) else { return units }
            position += 2
        }
    }

    /// Decodes `=41`, or a soft line break after `=`.
    private func quotedPrintable(_ start: Int) -> [EncodedUnit] {
        if let byte = number(start, digits: 2) { return [EncodedUnit(.byte(UInt8(byte)), start + 2)] }
        for end in ["\r\n", "\n"] where text[start...].starts(with: end.utf8) {
            let next = start + end.utf8.count
            return next < text.count ? units(at: next) : []
        }
        return []
    }

    /// Decodes `\/`, `\"`, `\u00e9`, `\ud83d\ude00`, `\x41` and `\303`, each after any number of backslashes.
    private func backslash(_ start: Int) -> [EncodedUnit] {
        let end = text[start...].prefix(16).firstIndex { $0 != UInt8(ascii: "\\") } ?? min(text.count, start + 16)
        var units = (start + 1...end).map { EncodedUnit(.byte(UInt8(ascii: "\\")), $0) }
        guard end < text.count else { return units }
        units.append(EncodedUnit(.byte(text[end]), end + 1))
        switch text[end] {
        case UInt8(ascii: "u"), UInt8(ascii: "U"): units += unicode(end + 1)
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            if let byte = number(end + 1, digits: 2) { units.append(EncodedUnit(.byte(UInt8(byte)), end + 3)) }
        default:
            if let byte = number(end, digits: 3, radix: 8), byte < 256 {
                units.append(EncodedUnit(.byte(UInt8(byte)), end + 3))
            }
        }
        return units
    }

    private func unicode(_ start: Int) -> [EncodedUnit] {
        if start < text.count, text[start] == UInt8(ascii: "{") {
            return [digits(start + 1, radix: 16)].compactMap(\.self)
        }
        guard let high = number(start, digits: 4) else { return [] }
        guard (0xD800..<0xDC00).contains(high) else { return [EncodedUnit(.scalar(high), start + 4)] }
        let slashes = text[(start + 4)...].prefix(8).prefix { $0 == UInt8(ascii: "\\") }
        let second = slashes.endIndex
        guard !slashes.isEmpty, second < text.count, text[second] | 0x20 == UInt8(ascii: "u"),
            let low = number(second + 1, digits: 4), (0xDC00..<0xE000).contains(low)
        else { return [] }
        return [EncodedUnit(.scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)), second + 5)]
    }

    /// Decodes `&amp;`, `&#233;`, `&#xe9;` and `&amp;#233;`; `start` is after the first ampersand.
    private func entity(_ start: Int) -> [EncodedUnit] {
        var position = start
        var units: [EncodedUnit] = []
        while true {
            let rest = text[position...]
            if rest.starts(with: "#".utf8) {
                let isHex = position + 1 < text.count && text[position + 1] | 0x20 == UInt8(ascii: "x")
                let unit = digits(position + (isHex ? 2 : 1), radix: isHex ? 16 : 10)
                return units + [unit].compactMap(\.self)
            }
            let name = rest.prefix(32).prefix { (48...57).contains($0) || (65...90).contains($0 & 0xDF) }
            guard name.count >= 2, name.endIndex < text.count, text[name.endIndex] == UInt8(ascii: ";") else {
                return units
            }
            units.append(EncodedUnit(.named, name.endIndex + 1))
            guard name.elementsEqual("amp".utf8) else { return units }
            position = name.endIndex + 1
        }
    }

    /// Decodes a number up to a terminating `;` or `}`; the unit includes the terminator.
    private func digits(_ start: Int, radix: Int) -> EncodedUnit? {
        let run = text[min(start, text.count)...].prefix(8).prefix {
            $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "}")
        }
        guard let value = number(run.startIndex, digits: run.count, radix: radix) else { return nil }
        return EncodedUnit(.scalar(value), min(run.endIndex + 1, text.count))
    }

    private func number(_ start: Int, digits: Int, radix: Int = 16) -> UInt32? {
        guard digits > 0, start + digits <= text.count, text[start] != UInt8(ascii: "+") else { return nil }
        return UInt32(String(decoding: text[start..<(start + digits)], as: UTF8.self), radix: radix)
    }
}
