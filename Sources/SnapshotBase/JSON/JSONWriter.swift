extension JSON {
    /// UTF-8 text without white space, with members in their order; control characters and the like are escaped.
    package var bytes: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(2048)
        write(to: &text)
        return text
    }

    /// `bytes` as a string.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    private func write(to text: inout [UInt8]) {
        switch self {
        case .null: text.append(contentsOf: "null".utf8)
        case .bool(let value): text.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): text.append(contentsOf: String(value).utf8)
        case .number(let value): JSON.write(value, to: &text)
        case .string(let value): JSON.write(value, to: &text)
        case .array(let elements):
            JSON.write(elements, between: ("[", "]"), to: &text) { $0.write(to: &$1) }
        case .object(let object):
            JSON.write(object.members, between: ("{", "}"), to: &text) { member, text in
                JSON.write(member.name, to: &text)
                text.append(UInt8(ascii: ":"))
                member.value.write(to: &text)
            }
        }
    }

    private static func write<Item>(
        _ items: [Item], between ends: (Unicode.Scalar, Unicode.Scalar), to text: inout [UInt8],
        _ write: (Item, inout [UInt8]) -> Void
    ) {
        text.append(UInt8(ascii: ends.0))
        for (index, item) in items.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            write(item, &text)
        }
        text.append(UInt8(ascii: ends.1))
    }

    /// Writes whole numbers without a fraction, and null for infinity and NaN, which JSON lacks.
    private static func write(_ value: Double, to text: inout [UInt8]) {
        let number = Int(exactly: value).map { "\($0)" } ?? (value.isFinite ? "\(value)" : "null")
        text.append(contentsOf: number.utf8)
    }

    private static func write(_ value: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"", "\\": text.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: scalar)])
            // U+FFFD is harmless on a terminal, and clearer than its escape.
            case _ where scalar.isUnprintable && scalar != "\u{FFFD}":
                for unit in UTF16.encode(scalar) ?? .init() { write(escaped: unit, to: &text) }
            default: text.append(contentsOf: UTF8.encode(scalar) ?? .init())
            }
        }
        text.append(UInt8(ascii: "\""))
    }

    private static func write(escaped unit: UInt16, to text: inout [UInt8]) {
        let digits = String(unit, radix: 16)
        text.append(contentsOf: "\\u".utf8)
        text.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: 4 - digits.utf8.count))
        text.append(contentsOf: digits.utf8)
    }
}
