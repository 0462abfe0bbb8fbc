import Glibc

/// A log of one JSON line for each request, written before its answer is sent, so that a client that has the answer
/// finds the line. Secrets stay in it, since tests check what a client sent.
final class RequestLog: Sendable {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StartupError("log \(path)", String(cString: strerror(errno))) }
    }

    func record(_ request: Request, _ answer: Answer, connection: Int, secure: Bool) {
        var line: [String: JSON] = [
            "connection": .int(connection), "tls": .bool(secure), "method": .string(request.method),
            "path": .string(request.target),
        ]
        if case .silent = answer.manner { line["code"] = 0 } else { line["code"] = .int(answer.status) }
        if let code = answer.rspCode { line["rsp"] = .int(code) }
        if let fault = answer.fault { line["fault"] = .string(fault) }
        if let agent = request.headers["user-agent"] { line["agent"] = .string(agent) }
        if !request.body.isEmpty { line["body"] = .string(String(decoding: request.body, as: UTF8.self)) }
        let commands = (JSON(request.body)?.array ?? []).compactMap { $0["cmd"]?.string }
        line["cmd"] = .string(request.query["cmd"] ?? commands.joined(separator: ","))
        // A line is written by one call, so lines of several connections don't mix.
        let bytes = Array((JSON.object(line).line + "\n").utf8)
        write(descriptor, bytes, bytes.count)
    }
}
