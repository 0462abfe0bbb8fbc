import SnapshotBase

/// The sites that may frame the pages and show the pictures: `WEB_EMBED_ORIGINS`.
struct Origins: Sendable {
    /// Origins as browsers write them: scheme and host, and the port unless it is the scheme's default.
    let list: [String]

    init() { list = [] }

    /// - Returns: nil where one of the words isn't an origin.
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

    /// The value of `frame-ancestors` in a Content-Security-Policy.
    var framePolicy: String { list.isEmpty ? "'none'" : "'self' " + list.joined(separator: " ") }

    /// The origin of the page that embeds what is requested; nil where it isn't in the list.
    func embedder(of request: Request) -> String? {
        if let origin = request.header("Origin") { return list.first { $0 == origin.lowercased() } }
        guard let referer = request.header("Referer")?.lowercased() else { return nil }
        return list.first { referer == $0 || referer.hasPrefix($0 + "/") }
    }
}
