import Glibc
import SnapshotBase

/// A complete HTTP request.
struct Request {
    let method: String
    /// Path and query as they were sent.
    let target: String
    let headers: [String: String]
    let body: [UInt8]

    var path: String { String(target.prefix { $0 != "?" }) }
    var query: Query { Query(target.drop { $0 != "?" }.dropFirst()) }
    var wantsClose: Bool { headers["connection"]?.lowercased() == "close" }
}

/// A query string, whose values are available both as they were sent and decoded.
struct Query {
    private let pairs: [(name: String, raw: [UInt8])]

    init(_ text: some StringProtocol) {
        pairs = text.utf8.split(separator: UInt8(ascii: "&")).map { pair in
            let halves = pair.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return (String(decoding: halves[0], as: UTF8.self), halves.count > 1 ? Array(halves[1]) : [])
        }
    }

    /// The value, percent-decoded.
    subscript(name: String) -> String? {
        raw(name).map { String(decoding: Query.decoded($0), as: UTF8.self) }
    }

    /// The value's bytes as sent.
    func raw(_ name: String) -> [UInt8]? { pairs.first { $0.name == name }?.raw }

    /// Only percent-decodes: `+` stays `+`, and a stray `%` stays as it is.
    static func decoded(_ raw: [UInt8]) -> [UInt8] {
        percentDecoded(bytes: raw, keepsStrays: true) ?? raw
    }
}

/// Splits a connection's bytes into requests.
struct RequestReader {
    private var buffer: [UInt8] = []
    private static let longestHead = 64 * 1024
    private static let longestBody = 4 * 1024 * 1024

    /// The next request; nil when the connection ends or what it sends isn't HTTP.
    mutating func next(from wire: Wire) -> Request? {
        let end = Array("\r\n\r\n".utf8)
        var head = buffer.firstRange(of: end)
        while head == nil {
            guard buffer.count < Self.longestHead, wire.read(into: &buffer) else { return nil }
            head = buffer.firstRange(of: end)
        }
        guard let head else { return nil }
        let lines = String(decoding: buffer[..<head.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            headers[line[..<colon].lowercased()] = String(
                line[line.index(after: colon)...].drop { $0 == " " })
        }
        let length = headers["content-length"].flatMap { Int(decimal: $0) } ?? 0
        guard (0...Self.longestBody).contains(length) else { return nil }
        while buffer.count < head.upperBound + length {
            guard wire.read(into: &buffer) else { return nil }
        }
        let body = Array(buffer[head.upperBound..<head.upperBound + length])
        buffer.removeSubrange(..<(head.upperBound + length))
        return Request(method: String(words[0]), target: String(words[1]), headers: headers, body: body)
    }
}
