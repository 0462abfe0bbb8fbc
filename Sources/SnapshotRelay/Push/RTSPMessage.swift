import SnapshotBase

/// One RTSP request or response, its head and its body.
struct RTSPMessage: Equatable, Sendable {
    /// `METHOD url RTSP/1.0` or `RTSP/1.0 200 OK`.
    var startLine: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    /// nil for a response.
    var method: String? {
        startLine.hasPrefix("RTSP/") ? nil : startLine.split(separator: " ").first.map(String.init)
    }

    /// nil for a request.
    var status: Int? {
        guard method == nil else { return nil }
        return startLine.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    var url: String {
        get {
            let parts = startLine.split(separator: " ")
            return parts.count == 3 ? String(parts[1]) : ""
        }
        set { startLine = "\(method ?? "") \(newValue) RTSP/1.0" }
    }

    func values(_ name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    mutating func set(_ name: String, _ value: String?) {
        headers.removeAll { $0.name.lowercased() == name.lowercased() }
        if let value { headers.append((name, value)) }
    }

    var bytes: [UInt8] {
        let head = ([startLine] + headers.map { "\($0.name): \($0.value)" }).joined(separator: "\r\n")
        return Array((head + "\r\n\r\n").utf8) + body
    }

    static func == (left: RTSPMessage, right: RTSPMessage) -> Bool { left.bytes == right.bytes }
}

/// Takes an RTSP connection's bytes apart: messages, and the packets of media between them.
struct RTSPReader: Sendable {
    enum Item: Equatable, Sendable {
        case message(RTSPMessage)
        /// One or more interleaved packets, whole, with their frames.
        case packets(ArraySlice<UInt8>)
    }

    /// What comes isn't RTSP, or too long to be.
    struct Malformed: Error {}

    private static let longestHead = 16384
    private static let longestBody = 65536
    private var buffer: [UInt8] = []

    mutating func append(_ bytes: some Sequence<UInt8>) { buffer += bytes }

    /// The next whole item; nil while more bytes are needed.
    mutating func next() throws(Malformed) -> Item? {
        let media = interleavedLength()
        if media > 0 {
            let packets = buffer[..<media]
            buffer = Array(buffer[media...])
            return .packets(packets)
        }
        // Empty lines between messages are allowed.
        while let first = buffer.first, first == 13 || first == 10 { buffer.removeFirst() }
        guard let first = buffer.first, first != UInt8(ascii: "$") else { return nil }
        guard let end = headEnd() else {
            guard buffer.count < Self.longestHead else { throw Malformed() }
            return nil
        }
        var message = try Self.head(buffer[..<end])
        let length = message.values("Content-Length").first.map { Int($0) ?? -1 } ?? 0
        guard (0...Self.longestBody).contains(length) else { throw Malformed() }
        guard buffer.count >= end + length else { return nil }
        message.body = Array(buffer[end..<(end + length)])
        buffer = Array(buffer[(end + length)...])
        return .message(message)
    }

    /// How much of the buffer is whole packets.
    private func interleavedLength() -> Int {
        var position = 0
        while position + 4 <= buffer.count, buffer[position] == UInt8(ascii: "$") {
            let end = position + 4 + (Int(buffer[position + 2]) << 8 | Int(buffer[position + 3]))
            guard end <= buffer.count else { break }
            position = end
        }
        return position
    }

    /// Behind the empty line that ends the head.
    private func headEnd() -> Int? {
        var position = 0
        while position + 4 <= min(buffer.count, Self.longestHead) {
            if buffer[position] == 13, buffer[position + 1] == 10, buffer[position + 2] == 13,
                buffer[position + 3] == 10
            {
                return position + 4
            }
            position += 1
        }
        return nil
    }

    private static func head(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> RTSPMessage {
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")[...]
        guard let start = lines.popFirst(), start.contains("RTSP/1.0") else { throw Malformed() }
        var headers: [(name: String, value: String)] = []
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { throw Malformed() }
            headers.append((String(line[..<colon]), String(line[line.index(after: colon)...].trimmed)))
        }
        return RTSPMessage(startLine: String(start), headers: headers, body: [])
    }
}
