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
    func match(_ index: Int, _ position: Int) -> Int? {
        guard index < secret.count else { return position }
        guard position < text.count else { return nil }
        // A percent sign may stand for itself, or begin what stands for another.
        if text[position] == UInt8(ascii: "%"), position + 2 < text.count,
            UInt8(String(decoding: text[(position + 1)...(position + 2)], as: UTF8.self), radix: 16) == secret[index],
            let end = match(index + 1, position + 3)
        {
            return end
        }
        return text[position] == secret[index] ? match(index + 1, position + 1) : nil
    }
    return match(0, start)
}

/// In `…://user:password@host/…?query` all before the last `@` of the word goes, for an unencoded password may hold
/// anything, and the query, in which some cameras want it.
private func withoutUserInfo(_ text: String) -> String {
    var result = ""
    var rest = text[...]
    while let scheme = rest.range(of: "://") {
        result += rest[..<scheme.upperBound]
        rest = rest[scheme.upperBound...]
        let end = rest.unicodeScalars.firstIndex { $0.properties.isWhitespace || $0 == "'" || $0 == "\"" }
        let stop = end ?? rest.endIndex
        if let at = rest[..<stop].utf8.lastIndex(of: UInt8(ascii: "@")) {
            result += "***"
            rest = rest[at...]
        }
        if let (address, _) = rest[..<stop].cutAtFirst("?") {
            result += address + "?***"
            rest = rest[stop...]
        }
    }
    return result + rest
}
