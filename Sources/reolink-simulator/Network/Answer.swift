/// An HTTP answer, and the manner, usually a correct one, in which it is sent.
struct Answer {
    var status = 200
    var type = "text/html"
    var body: [UInt8] = []
    var location: String?
    /// The milliseconds to wait before the first byte.
    var delay = 0
    var manner = Manner.whole
    /// For the log: the rspCode in an error's body, and the name of the fault.
    var rspCode: Int?
    var fault: String?

    enum Manner: Equatable {
        case whole
        /// Only the first bytes of the body. The Content-Length is `announcing`, or the whole body's where it is nil.
        case cut(after: Int, announcing: Int?, then: Ending)
        /// One byte at a time; with `head` the status line and headers, too.
        case drip(head: Bool)
        /// The body, and then more of the same without end.
        case endless(Framing)
        /// The body without a length, on a connection that stays open.
        case open
        /// The body again and again, as parts of `multipart/x-mixed-replace`.
        case parts
        /// No byte at all.
        case silent(Ending)
    }

    enum Ending { case close, reset, hang }
    enum Framing: Equatable { case chunked, untilClose, length(Int) }

    init(_ body: [UInt8], type: String) {
        self.body = body
        self.type = type
    }

    init(status: Int = 200, html: String) {
        self.init(Array(html.utf8), type: "text/html")
        self.status = status
    }

    init(_ json: JSON) { self.init(html: json.styled) }

    /// A status page of the camera's web server.
    init(status: Int, location: String? = nil) {
        let title = "\(status) \(Self.reasons[status] ?? "")"
        self.init(
            status: status,
            html:
                "<html>\r\n<head><title>\(title)</title></head>\r\n<body>\r\n<h1>\(title)</h1>\r\n</body>\r\n</html>\r\n"
        )
        self.location = location
    }

    private static let reasons = [
        200: "OK", 300: "Multiple Choices", 302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized",
        403: "Forbidden", 404: "Not Found", 500: "Internal Server Error", 502: "Bad Gateway",
        503: "Service Unavailable",
    ]

    /// The status line and headers; a nil length leaves Content-Length out.
    fileprivate func head(length: Int?, closing: Bool) -> [UInt8] {
        var lines = [
            "HTTP/1.1 \(status) \(Self.reasons[status] ?? "Status")", "Server: nginx",
            "Content-Type: \(type)",
            "Cache-Control: no-store", "Connection: \(closing ? "close" : "keep-alive")",
        ]
        if let length { lines.append("Content-Length: \(length)") }
        if manner == .endless(.chunked) { lines.append("Transfer-Encoding: chunked") }
        if let location { lines.append("Location: \(location)") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }
}

extension Wire {
    /// Sends the answer in its manner. Returns true when the connection can take another request.
    func send(_ answer: Answer, closing: Bool) -> Bool {
        if answer.delay > 0 { pause(milliseconds: answer.delay) }
        let body = answer.body
        switch answer.manner {
        case .whole:
            return write(answer.head(length: body.count, closing: closing) + body) && !closing
        case .cut(let count, let announced, let ending):
            if write(answer.head(length: announced ?? body.count, closing: false) + body.prefix(count)) {
                end(ending)
            }
        case .drip(let withHead):
            let head = answer.head(length: body.count, closing: closing)
            guard withHead || write(head) else { return false }
            for byte in withHead ? head + body : body {
                guard write([byte]) else { return false }
                pause(milliseconds: 200)
            }
            return !closing
        case .endless(let framing):
            pour(answer, framing)
        case .open:
            if write(answer.head(length: nil, closing: false) + body) { waitForClose() }
        case .parts:
            var stream = answer
            stream.type = "multipart/x-mixed-replace; boundary=frame"
            let part = Array("--frame\r\nContent-Type: \(answer.type)\r\n\r\n".utf8) + body + Array("\r\n".utf8)
            guard write(stream.head(length: nil, closing: true)) else { return false }
            while write(part) { pause(milliseconds: 100) }
        case .silent(let ending):
            end(ending)
        }
        return false
    }

    private func end(_ ending: Answer.Ending) {
        switch ending {
        case .close: break
        case .reset: armReset()
        case .hang: waitForClose()
        }
    }

    /// Sends the body, then its last part again and again, until the client closes the connection.
    private func pour(_ answer: Answer, _ framing: Answer.Framing) {
        var length: Int?
        if case .length(let announced) = framing { length = announced }
        guard write(answer.head(length: length, closing: true)) else { return }
        var part = ArraySlice(answer.body)
        while true {
            let size = Array("\(String(part.count, radix: 16))\r\n".utf8)
            let chunk = framing == .chunked ? size + part + Array("\r\n".utf8) : Array(part)
            guard write(chunk) else { return }
            part = answer.body.suffix(8192)
        }
    }
}
