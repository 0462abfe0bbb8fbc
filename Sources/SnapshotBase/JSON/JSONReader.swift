import Glibc

extension JSON {
    /// Parses arbitrary bytes; nil if they are not exactly one JSON value. Invalid UTF-8 becomes U+FFFD.
    package init?(_ bytes: some Collection<UInt8>) {
        let read = bytes.withContiguousStorageIfAvailable { JSONReader($0).document() }
        guard let value = read ?? Array(bytes).withUnsafeBufferPointer({ JSONReader($0).document() }) else {
            return nil
        }
        self = value
    }
}

/// A single-pass parser: every method leaves `position` after what it consumed, or returns nil.
private struct JSONReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var depth = 0

    /// The nesting limit: deeper input from outside could exhaust the stack.
    private static let deepest = 32

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    consuming func document() -> JSON? {
        guard let value = value(), next == nil else { return nil }
        return value
    }

    /// Skips white space and returns the next byte without consuming it.
    private var next: UInt8? {
        mutating get {
            while position < bytes.count {
                switch bytes[position] {
                case 0x20, 0x09, 0x0A, 0x0D: position += 1
                default: return bytes[position]
                }
            }
            return nil
        }
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    private mutating func value() -> JSON? {
        switch next {
        case UInt8(ascii: "{"): nested { $0.object() }
        case UInt8(ascii: "["): nested { $0.array() }
        case UInt8(ascii: "\""): string().map(JSON.string)
        case UInt8(ascii: "t"): word("true", .bool(true))
        case UInt8(ascii: "f"): word("false", .bool(false))
        case UInt8(ascii: "n"): word("null", .null)
        default: number()
        }
    }

    private mutating func nested(_ read: (inout JSONReader) -> JSON?) -> JSON? {
        guard depth < Self.deepest else { return nil }
        depth += 1
        position += 1
        defer { depth -= 1 }
        return read(&self)
    }

    private mutating func object() -> JSON? {
        var object = JSONObject()
        if take("}") { return .object(object) }
        repeat {
            guard next == UInt8(ascii: "\""), let name = string(), take(":"), let value = value() else { return nil }
            object.append(name, value)
        } while take(",")
        return take("}") ? .object(object) : nil
    }

    private mutating func array() -> JSON? {
        var elements: [JSON] = []
        if take("]") { return .array(elements) }
        repeat {
            guard let value = value() else { return nil }
            elements.append(value)
        } while take(",")
        return take("]") ? .array(elements) : nil
    }

    private mutating func word(_ text: StaticString, _ value: JSON) -> JSON? {
        guard position + text.utf8CodeUnitCount <= bytes.count, let start = bytes.baseAddress,
            memcmp(start + position, text.utf8Start, text.utf8CodeUnitCount) == 0
        else { return nil }
        position += text.utf8CodeUnitCount
        return value
    }

    private mutating func number() -> JSON? {
        let start = position
        if peek == UInt8(ascii: "-") { position += 1 }
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[position - whole] != UInt8(ascii: "0") else { return nil }
        var isWhole = true
        if peek == UInt8(ascii: ".") {
            isWhole = false
            position += 1
            guard digits() > 0 else { return nil }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            isWhole = false
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { return nil }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { return nil }
        return .number(value)
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Consumes digits and returns their number.
    private mutating func digits() -> Int {
        let start = position
        while let byte = peek, (0x30...0x39).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func string() -> String? {
        position += 1
        let start = position
        while let byte = peek, byte >= 0x20 {
            position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: bytes[start..<(position - 1)], as: UTF8.self) }
            if byte == UInt8(ascii: "\\") { return escapedString(from: start) }
        }
        return nil
    }

    /// Parses the rest of a string with escapes; `position` is after the first backslash.
    private mutating func escapedString(from start: Int) -> String? {
        var text = Array(bytes[start..<(position - 1)])
        position -= 1
        while let byte = peek, byte >= 0x20 {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                text.append(contentsOf: String(scalar).utf8)
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let byte = peek else { return nil }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            guard let unit = hexadecimalUnit() else { return nil }
            guard (0xD800...0xDFFF).contains(unit) else { return Unicode.Scalar(unit) }
            return unit < 0xDC00 ? lowHalf(of: unit) : "\u{FFFD}"
        default: return nil
        }
    }

    /// The scalar of a surrogate pair; U+FFFD if the low surrogate is missing.
    private mutating func lowHalf(of high: UInt32) -> Unicode.Scalar? {
        let start = position
        if peek == UInt8(ascii: "\\") {
            position += 1
            if peek == UInt8(ascii: "u") {
                position += 1
                guard let low = hexadecimalUnit() else { return nil }
                if (0xDC00...0xDFFF).contains(low) {
                    return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
                }
            }
        }
        position = start
        return "\u{FFFD}"
    }

    private mutating func hexadecimalUnit() -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        defer { position += 4 }
        let digits = bytes[position..<(position + 4)]
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
