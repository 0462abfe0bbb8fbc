import SnapshotBase

extension URLParts {
    /// Resolves a reference relative to this URL (RFC 3986, section 5.2); nil if the result is not http or https, or
    /// contains a login.
    package func resolving(_ reference: String) -> URLParts? {
        guard !reference.isEmpty, !reference.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else { return nil }
        let path = target[...].cutAtFirst("?")?.0 ?? target[...]
        let text: String
        let firstSegment = reference.prefix { !"/?#".contains($0) }
        if reference.hasPrefix("//") {
            text = "\(scheme):\(reference)"
        } else if firstSegment.contains(":") {
            text = reference
        } else if reference.hasPrefix("/") {
            text = "\(scheme)://\(authority)\(Self.withoutDots(reference))"
        } else if reference.hasPrefix("?") {
            text = "\(scheme)://\(authority)\(path)\(reference)"
        } else {
            let folder = path.cutAtLast("/")?.0 ?? ""
            text = "\(scheme)://\(authority)\(Self.withoutDots("\(folder)/\(reference)"))"
        }
        guard let parts = URLParts(text), parts.user == nil, ["http", "https"].contains(parts.scheme) else {
            return nil
        }
        return parts
    }

    /// Removes the segments `.` and `..` from a path that begins with a slash; a query is preserved.
    private static func withoutDots(_ reference: String) -> String {
        let end = reference.firstIndex { "?#".contains($0) } ?? reference.endIndex
        let segments = reference[..<end].cut(at: "/").dropFirst()
        var kept: [Substring] = []
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { kept.append("") }
            case "..":
                if !kept.isEmpty { kept.removeLast() }
                if isLast { kept.append("") }
            default: kept.append(segment)
            }
        }
        return "/" + kept.joined(separator: "/") + reference[end...]
    }
}
