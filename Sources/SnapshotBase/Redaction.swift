/// `text` without any of `secrets`, each of whose bytes may stand there as it is or percent-encoded, and without user
/// and password of the URLs in it.
package func redact(_ text: String, _ secrets: [String]) -> String {
    var bytes = Array(text.utf8)
    for secret in secrets where !secret.isEmpty { bytes = without(Array(secret.utf8), in: bytes) }
    return withoutUserInfo(String(decoding: bytes, as: UTF8.self))
}

private func without(_ secret: [UInt8], in text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var position = 0
    while position < text.count {
        if let end = match(secret, in: text, at: position) {
            result += "***".utf8
            position = end
        } else {
            result.append(text[position])
            position += 1
        }
    }
    return result
}

/// Where `secret`, plain or percent-encoded in any part, ends if it begins at `start`.
private func match(_ secret: [UInt8], in text: [UInt8], at start: Int) -> Int? {
    var position = start
    for byte in secret {
        guard position < text.count else { return nil }
        if text[position] == byte {
            position += 1
        } else if text[position] == UInt8(ascii: "%"), position + 2 < text.count,
            UInt8(String(decoding: text[(position + 1)...(position + 2)], as: UTF8.self), radix: 16) == byte
        {
            position += 3
        } else {
            return nil
        }
    }
    return position
}

/// In `…://user:password@host/…` all before the last `@` of the word goes: an unencoded password may hold anything.
private func withoutUserInfo(_ text: String) -> String {
    var result = ""
    var rest = text[...]
    while let scheme = rest.range(of: "://") {
        result += rest[..<scheme.upperBound]
        rest = rest[scheme.upperBound...]
        let end = rest.unicodeScalars.firstIndex { $0.properties.isWhitespace || $0 == "'" || $0 == "\"" }
        if let at = rest[..<(end ?? rest.endIndex)].utf8.lastIndex(of: UInt8(ascii: "@")) {
            result += "***"
            rest = rest[at...]
        }
    }
    return result + rest
}
