import SnapshotBase

/// The sites that may frame the pages and show the pictures: `WEB_EMBED_ORIGINS`.
struct Origins: Sendable {
    /// As browsers write them: scheme, host, port where it isn't the scheme's own.
    let list: [String]

    init() { list = [] }

    /// - Returns: nil where one of them is no origin.
    init?(_ text: String) {
        var list: [String] = []
        for word in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            let origin = word.lowercased()
            let isPlain = origin.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"'\";,\\*".utf8.contains($0) }
            guard let scheme = ["http://", "https://"].first(where: origin.hasPrefix), isPlain else { return nil }
            let host = origin.dropFirst(scheme.count)
            guard !host.isEmpty, !host.utf8.contains(where: { "/?#@".utf8.contains($0) }) else { return nil }
            let own = scheme == "https://" ? ":443" : ":80"
            list.append(host.hasSuffix(own) ? String(origin.dropLast(own.count)) : origin)
        }
        self.list = list
    }

    /// What a policy says of who may frame a page.
    var framePolicy: String { list.isEmpty ? "'none'" : "'self' " + list.joined(separator: " ") }

    /// The origin of the page that asks, if it is one of these.
    func asking(_ request: Request) -> String? {
        if let origin = request.header("Origin") { return list.first { $0 == origin.lowercased() } }
        guard let referer = request.header("Referer")?.lowercased() else { return nil }
        return list.first { referer == $0 || referer.hasPrefix($0 + "/") }
    }
}
