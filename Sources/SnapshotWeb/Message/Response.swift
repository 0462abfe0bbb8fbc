import NIOCore
import NIOHTTP1
import SnapshotBase

/// An HTTP response: a status, the header fields beyond those that every response has, and a body.
struct Response: Sendable {
    enum Body: Sendable {
        case bytes(ByteBuffer)
        /// `count` bytes of a file from `offset` on, which are streamed and never held in memory as a whole.
        case file(FileHandle, offset: Int, count: Int)
    }

    var status: HTTPResponseStatus
    var fields: [(String, String)]
    var body: Body
    /// Whether the connection ends after this response, e.g. because the rest of the request can't be parsed.
    var closes = false
    /// The origin of another site that may embed this response; nil where only our own pages may.
    private var embedder: String?

    func embedded(in origin: String?) -> Response {
        var response = self
        response.embedder = origin
        return response
    }

    /// - Parameter policy: the Content-Security-Policy of the body.
    init(
        _ status: HTTPResponseStatus, type: String,
        policy: String = "default-src 'none'; frame-ancestors 'none'",
        fields: [(String, String)] = [], body: String
    ) {
        self.status = status
        self.fields = [("Content-Type", type), ("Content-Security-Policy", policy)] + fields
        self.body = .bytes(ByteBuffer(string: body))
    }

    /// A response in plain text; a newline is added.
    static func sentence(_ status: HTTPResponseStatus, _ text: String, fields: [(String, String)] = [])
        -> Response
    {
        Response(status, type: "text/plain; charset=utf-8", fields: fields, body: text + "\n")
    }

    /// A response in plain text, after which the connection ends.
    static func closing(
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

    /// The status line and all header fields.
    func head(now: Timestamp, keepAlive: Bool) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 1024)
        buffer.writeString("HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\nDate: \(now.httpDate)\r\n")
        for (name, value) in fields { buffer.writeString("\(name): \(value)\r\n") }
        // A response with an ETag may be cached, and the browser revalidates it each time.
        let keeps = fields.contains { $0.0 == "ETag" } ? "private, no-cache" : "no-store"
        buffer.writeString("Cache-Control: \(keeps)\r\nX-Content-Type-Options: nosniff\r\n")
        let reach = embedder == nil ? "same-origin" : "cross-origin"
        buffer.writeString("Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: \(reach)\r\n")
        if let embedder { buffer.writeString("Access-Control-Allow-Origin: \(embedder)\r\nVary: Origin, Referer\r\n") }
        buffer.writeString("Connection: \(keepAlive ? "keep-alive" : "close")\r\n")
        if status != .noContent, status != .notModified { buffer.writeString("Content-Length: \(bodyLength)\r\n") }
        buffer.writeString("\r\n")
        return buffer
    }
}
