import NIOCore
import NIOHTTP1
import SnapshotBase

/// An answer: status, the fields beyond those that every answer has, and a body.
struct Response: Sendable {
    enum Body: Sendable {
        case bytes(ByteBuffer)
        /// `count` bytes of a file from `offset` on; streamed, never held in memory as a whole.
        case file(FileHandle, offset: Int, count: Int)
    }

    var status: HTTPResponseStatus
    var fields: [(String, String)]
    var body: Body
    /// Ends the connection, e.g. where the rest of the request can't be made sense of.
    var closes = false

    /// - Parameter policy: what the browser may let the body do.
    init(
        _ status: HTTPResponseStatus, type: String,
        policy: String = "default-src 'none'; frame-ancestors 'none'",
        fields: [(String, String)] = [], body: String
    ) {
        self.status = status
        self.fields = [("Content-Type", type), ("Content-Security-Policy", policy)] + fields
        self.body = .bytes(ByteBuffer(string: body))
    }

    /// A sentence for people; a newline is added.
    static func sentence(_ status: HTTPResponseStatus, _ text: String, fields: [(String, String)] = [])
        -> Response
    {
        Response(status, type: "text/plain; charset=utf-8", fields: fields, body: text + "\n")
    }

    static func refusal(
        _ status: HTTPResponseStatus, _ text: String, fields: [(String, String)] = []
    ) -> Response {
        var response = sentence(status, text, fields: fields)
        response.closes = true
        return response
    }

    init(_ status: HTTPResponseStatus, fields: [(String, String)], body: Body) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    private var bodyLength: Int {
        switch body {
        case .bytes(let bytes): bytes.readableBytes
        case .file(_, _, let count): count
        }
    }

    /// Status line and fields.
    func head(now: Timestamp, keepAlive: Bool) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 1024)
        buffer.writeString("HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\nDate: \(now.httpDate)\r\n")
        for (name, value) in fields { buffer.writeString("\(name): \(value)\r\n") }
        buffer.writeString("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")
        buffer.writeString("Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n")
        buffer.writeString("Connection: \(keepAlive ? "keep-alive" : "close")\r\n")
        if status != .noContent { buffer.writeString("Content-Length: \(bodyLength)\r\n") }
        buffer.writeString("\r\n")
        return buffer
    }
}
