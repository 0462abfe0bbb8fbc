import SnapshotBase

/// The error where bytes aren't RTSP, or exceed a limit.
package struct RTSPMalformed: Error {}

/// One RTSP request or response (RFC 2326).
package struct RTSPMessage: Equatable, Sendable {
    /// `METHOD url RTSP/1.0` or `RTSP/1.0 200 OK`.
    package var startLine: String
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8] = []

    private static let mostHeaders = 128

    package init(startLine: String) { self.startLine = startLine }

    /// Parses a head, with or without its empty line. Lines that are no header are ignored, as in ffmpeg.
    init(head: ArraySlice<UInt8>) throws(RTSPMalformed) {
        var lines = String(decoding: head.filter { $0 != 13 }, as: UTF8.self)[...].cut(at: "\n")[...]
        guard let start = lines.popFirst(), start.range(of: "RTSP/1.") != nil else { throw RTSPMalformed() }
        startLine = String(start)
        for line in lines {
            if line.first?.isBlank == true, let last = headers.indices.last {
                headers[last].value += " " + line.trimmed
            } else if let (name, value) = line.cutAtFirst(":") {
                guard headers.count < Self.mostHeaders else { throw RTSPMalformed() }
                headers.append((String(name.trimmed), String(value.trimmed)))
            }
        }
    }

    /// nil for a response.
    package var method: String? {
        startLine.hasPrefix("RTSP/") ? nil : startLine.split(separator: " ").first.map(String.init)
    }

    /// nil for a request.
    package var status: Int? {
        guard method == nil else { return nil }
        return startLine.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    /// The URL of a request. Meaningless for a response.
    package var url: String {
        get {
            let parts = startLine.split(separator: " ")
            return parts.count == 3 ? String(parts[1]) : ""
        }
        set { startLine = "\(method ?? "") \(newValue) RTSP/1.0" }
    }

    /// The values of all headers of this name, in order; case is ignored.
    package func values(_ name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// Replaces all headers of this name by one; nil only removes them.
    package mutating func set(_ name: String, _ value: String?) {
        headers.removeAll { $0.name.lowercased() == name.lowercased() }
        if let value { headers.append((name, value)) }
    }

    /// The message as it is sent.
    package var bytes: [UInt8] {
        let head = ([startLine] + headers.map { "\($0.name): \($0.value)" }).joined(separator: "\r\n")
        return Array((head + "\r\n\r\n").utf8) + body
    }

    package static func == (left: RTSPMessage, right: RTSPMessage) -> Bool { left.bytes == right.bytes }

    /// The gateway's own response to `request`.
    /// - Parameter status: code and reason, e.g. `200 OK`.
    package static func response(_ status: String, to request: RTSPMessage) -> RTSPMessage {
        var response = RTSPMessage(startLine: "RTSP/1.0 \(status)")
        response.set("CSeq", request.values("CSeq").first)
        return response
    }
}
