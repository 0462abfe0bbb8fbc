extension String {
    /// This text as one line for a log or a terminal: control, line-breaking and invisible characters are escaped, and
    /// the length is limited to about `limit` bytes.
    package func printable(limit: Int = 200) -> String {
        if utf8.count <= limit, !unicodeScalars.contains(where: { $0.isUnprintable }) { return self }
        var text = ""
        for scalar in unicodeScalars {
            if text.utf8.count >= limit { return text + "…" }
            text.append(printable: scalar)
        }
        return text
    }

    mutating func append(printable scalar: Unicode.Scalar) {
        if scalar.isUnprintable {
            self += "\\u{" + String(scalar.value, radix: 16) + "}"
        } else {
            unicodeScalars.append(scalar)
        }
    }
}

extension Unicode.Scalar {
    /// Whether it is in Unicode's category Cc, which is fixed and so needs no tables.
    package var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }

    /// Whether it is a control character, a line break, a bidirectional control, invisible, or not a character.
    package var isUnprintable: Bool {
        switch value {
        case 0x20..<0x7F: false
        case ..<0xA0, 0xAD, 0x61C, 0x180E, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFD,
            0xE0000...0xE0FFF:
            true
        default: value & 0xFFFE == 0xFFFE
        }
    }
}
