import SnapshotBase

/// Translates URLs between ffmpeg, which sees only those of the gateway, and the server, which sees only its own.
package struct RTSPAddresses: Sendable {
    /// The gateway's URL, which ffmpeg is given, e.g. `rtsp://127.0.0.1:40000/SECRET`.
    let local: String
    /// The stream's URL at the server, without user and password, e.g. `rtsp://192.168.1.20:554/live`.
    let server: String
    /// Scheme and host of other URLs in the server's messages. `rtsp://127.0.0.1:40000/SECRET.0` stands for the first.
    private var others: [String] = []

    private static let mostOthers = 8

    init(local: String, server: String) {
        self.local = local
        self.server = server
    }

    /// The server's URL for one that ffmpeg sends; nil where that isn't a URL of the gateway.
    func outward(_ url: String) -> String? {
        guard url.hasPrefix(local) else { return nil }
        let rest = url.dropFirst(local.count)
        if rest.hasPrefix(".") {
            let number = rest.dropFirst().prefix { $0.isNumber }
            let tail = rest.dropFirst(1 + number.count)
            guard let index = Int(number), others.indices.contains(index), Self.isURLEnd(tail) else { return nil }
            return others[index] + tail
        }
        return Self.isURLEnd(rest) ? server + rest : nil
    }

    /// `text` with each RTSP URL in it replaced by a URL of the gateway.
    mutating func inward(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let mark = rest.range(of: "://") {
            let scheme = rest[..<mark.lowerBound].suffix(5).lowercased()
            let length = scheme == "rtsps" ? 5 : scheme.hasSuffix("rtsp") ? 4 : 0
            guard length > 0 else {
                result += rest[..<mark.upperBound]
                rest = rest[mark.upperBound...]
                continue
            }
            let start = rest.index(mark.lowerBound, offsetBy: -length)
            result += rest[..<start]
            let (ours, replaced) = inward(address: rest[start...])
            result += ours
            rest = rest[start...].dropFirst(replaced)
        }
        return result + rest
    }

    /// The gateway's replacement for the beginning of a URL, and how many characters of the URL it replaces.
    private mutating func inward(address: Substring) -> (String, Int) {
        if address.hasPrefix(server), Self.isURLEnd(address.dropFirst(server.count)) { return (local, server.count) }
        let tail = address.range(of: "://").map { address[$0.upperBound...] } ?? address
        let host = tail.prefix { !$0.isBlank && !"/?,;\"'<>".contains($0) }
        let origin = String(address[..<host.endIndex])
        if !others.contains(origin) {
            guard others.count < Self.mostOthers else { return (local, origin.count) }
            others.append(origin)
        }
        return ("\(local).\(others.firstIndex(of: origin) ?? 0)", origin.count)
    }

    /// A session description (SDP) with the gateway's URLs in its `a=control` lines; all other bytes stay as they are.
    mutating func inward(description: [UInt8]) -> [UInt8] {
        let lines = description.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let changed = lines.map { line -> [UInt8] in
            guard String(decoding: line.prefix(10), as: UTF8.self).lowercased() == "a=control:" else {
                return Array(line)
            }
            return Array(inward(String(decoding: line, as: UTF8.self)).utf8)
        }
        return Array(changed.joined(separator: [UInt8(ascii: "\n")]))
    }

    /// Whether the part of a URL before `rest` may be replaced: it must not end within a name.
    private static func isURLEnd(_ rest: Substring) -> Bool {
        guard let first = rest.utf8.first else { return true }
        return "/?,;\" \r".utf8.contains(first)
    }
}
