extension String {
    /// This text made fit for one line of a log or a terminal: what would steer a terminal, end the line or can't be seen
    /// is escaped, and it has at most about `limit` bytes.
    package func printable(limit: Int = 200) -> String {
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
    /// Unicode's category Cc, which will never grow, without its tables.
    package var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }

    /// Whether it steers a terminal, ends a line, turns text around, takes no room or stands for broken UTF-8.
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
