/// The path that a request asks for, split at its slashes and then decoded. The query doesn't matter here.
struct Target: Equatable {
    /// `/health/yard` is `["health", "yard"]`, `/live/` is `["live", ""]`, `/` is `[""]`.
    let segments: [String]

    /// - Returns: nil for what no honest client sends: broken escapes, control bytes, slashes or dots in disguise.
    init?(_ text: String) {
        var path = text[...]
        if let authority = Self.authority(of: text) {
            path = path[(path.range(of: "://")?.upperBound ?? path.endIndex)...].dropFirst(authority.count)
        }
        if let end = path.firstIndex(where: { $0 == "?" || $0 == "#" }) { path = path[..<end] }
        guard path.first == "/" else { return nil }
        var segments: [String] = []
        for raw in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let segment = Self.decode(raw), segment != ".", segment != ".." else { return nil }
            segments.append(segment)
        }
        self.segments = segments
    }

    /// The host, with its port, in a target that is a whole address; nil in one that is a path alone.
    static func authority(of text: String) -> String? {
        let lowercased = text.prefix(8).lowercased()
        guard let scheme = ["http://", "https://"].first(where: lowercased.hasPrefix) else { return nil }
        return String(text.dropFirst(scheme.count).prefix { !"/?#".contains($0) })
    }

    private static func decode(_ raw: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = raw.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimalValue),
                let low = rest.popFirst().flatMap(hexadecimalValue)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        guard
            !bytes.contains(where: {
                $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\")
            })
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// A name as one segment of a path.
    static func encode(_ name: String) -> String {
        name.utf8.reduce(into: "") { text, byte in
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                text += byte < 16 ? "%0" : "%"
                text += String(byte, radix: 16, uppercase: true)
            }
        }
    }
}

private func hexadecimalValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 48...57: digit - 48
    case 65...70: digit - 55
    case 97...102: digit - 87
    default: nil
    }
}
