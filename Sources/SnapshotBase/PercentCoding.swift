/// Percent-encodes every byte that is neither unreserved (RFC 3986) nor in `also`.
package func percentEncoded(_ text: String, also: String = "") -> String {
    let hex = Array("0123456789ABCDEF".utf8)
    let kept = Array(also.utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case 48...57, 65...90, 97...122, 45, 46, 95, 126: out.append(byte)
        case _ where kept.contains(byte): out.append(byte)
        default: out += [37, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
        }
    }
    return String(decoding: out, as: UTF8.self)
}

/// Decodes percent-encoded text; nil if an escape or the resulting UTF-8 is invalid.
package func percentDecoded(_ text: some StringProtocol) -> String? {
    percentDecoded(bytes: text.utf8).flatMap { String(validating: $0, as: UTF8.self) }
}

/// Decodes percent-encoded bytes.
/// - Parameter keepsStrays: whether a percent sign that begins no escape is kept as it is.
/// - Returns: nil if an escape is invalid.
package func percentDecoded(bytes: some Sequence<UInt8>, keepsStrays: Bool = false) -> [UInt8]? {
    var decoded: [UInt8] = []
    var rest = Array(bytes)[...]
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            decoded.append(byte)
            continue
        }
        let digits = rest.prefix(2).compactMap(hexadecimalValue)
        if digits.count == 2 {
            decoded.append(digits[0] << 4 | digits[1])
            rest = rest.dropFirst(2)
        } else if keepsStrays {
            decoded.append(byte)
        } else {
            return nil
        }
    }
    return decoded
}

private func hexadecimalValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 48...57: digit - 48
    case 65...70: digit - 55
    case 97...102: digit - 87
    default: nil
    }
}
