import SnapshotBase

/// The path of a request target, split at its slashes and then percent-decoded. The query is ignored.
struct Target: Equatable {
    /// `/health/yard` is `["health", "yard"]`, `/live/` is `["live", ""]`, `/` is `[""]`.
    let segments: [String]

    /// - Returns: nil for broken escapes, control bytes, encoded slashes, and the segments `.` and `..`.
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

    /// The host with its port in an absolute target (`http://…`); nil where the target is a path alone.
    static func authority(of text: String) -> String? {
        let lowercased = text.prefix(8).lowercased()
        guard let scheme = ["http://", "https://"].first(where: lowercased.hasPrefix) else { return nil }
        return String(text.dropFirst(scheme.count).prefix { !"/?#".contains($0) })
    }

    private static func decode(_ raw: Substring) -> String? {
        guard let bytes = percentDecoded(bytes: raw.utf8) else { return nil }
        return String(validating: bytes, as: UTF8.self).flatMap { isServed($0) ? $0 : nil }
    }

    /// Whether a request can name a file of that name: it has no control byte, slash or backslash.
    static func isServed(_ name: String) -> Bool {
        !name.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
    }
}
