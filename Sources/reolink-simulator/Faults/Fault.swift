/// A named misbehaviour, and the requests that it affects.
struct Fault: Sendable, Equatable {
    /// The name by which it was requested, for the log.
    let name: String
    let strikes: Target
    let kind: Kind

    enum Target: Sendable {
        /// Snap requests that would have got a picture.
        case snap
        /// Snap requests with a token that would have got a picture.
        case tokenSnap
        /// Login requests, before the password is checked.
        case login
        /// Requests that open a session: logins, and snapshots with user and password.
        case session
        /// All requests to api.cgi without TLS.
        case plainHTTP
        /// New connections.
        case connect
    }

    enum Kind: Sendable, Equatable {
        case rspCode(Int, detail: String?), status(Int), useHTTPS, redirect
        case html, empty, tiny, mistyped, noJFIF, padded, short, frozen, covered
        case truncated, wrongLength, shortLength, open, mjpeg, drip, dripHead, hang, hangConnect, reset, resetMid
        case endless, endlessLengthless, hugeLength
        case slow(milliseconds: Int)
        case random
    }

    /// `login-NAME` does to a login what NAME does to a snapshot.
    init?(name: String) {
        self.name = name
        switch name {
        case "max-session": (strikes, kind) = (.session, .rspCode(-5, detail: nil))
        case "locked": (strikes, kind) = (.login, .rspCode(-7, detail: Refusal.locked.detail))
        case "login-frequent": (strikes, kind) = (.login, .rspCode(-105, detail: nil))
        case "token-refused": (strikes, kind) = (.tokenSnap, .rspCode(-6, detail: nil))
        case "300": (strikes, kind) = (.plainHTTP, .useHTTPS)
        case "hang-connect": (strikes, kind) = (.connect, .hangConnect)
        default:
            let isLogin = name.hasPrefix("login-")
            guard let kind = Kind(name: isLogin ? String(name.dropFirst(6)) : name) else { return nil }
            self.kind = kind
            strikes = isLogin ? .login : .snap
        }
    }
}

extension Fault {
    /// All names, for the help.
    static let names =
        ["max-session", "locked", "login-frequent", "token-refused", "300", "hang-connect"]
        + Kind.statuses.map(String.init) + ["rsp-CODE", "slow:MS", "login-NAME"] + Kind.byName.keys.sorted()
}

extension Fault.Kind {
    fileprivate init?(name: String) {
        if let known = Self.byName[name] {
            self = known
        } else if let status = Int(name), Self.statuses.contains(status) {
            self = .status(status)
        } else if name.hasPrefix("rsp-"), let code = Int(name.dropFirst(4)) {
            self = .rspCode(-code, detail: nil)
        } else if name.hasPrefix("slow:"), let delay = Int(name.dropFirst(5)), delay >= 0 {
            self = .slow(milliseconds: delay)
        } else {
            return nil
        }
    }

    fileprivate static let statuses = [401, 403, 404, 500, 502, 503]
    fileprivate static let byName: [String: Self] = [
        "json-error": .rspCode(-48, detail: nil), "302": .redirect, "html": .html, "empty": .empty,
        "tiny": .tiny, "mistyped": .mistyped, "no-jfif": .noJFIF, "padded": .padded, "short": .short,
        "frozen": .frozen, "covered": .covered, "truncated": .truncated, "wrong-length": .wrongLength,
        "short-length": .shortLength, "open": .open, "mjpeg": .mjpeg,
        "drip": .drip, "drip-header": .dripHead, "hang": .hang, "reset": .reset, "reset-mid": .resetMid,
        "endless": .endless, "endless-lengthless": .endlessLengthless, "huge-length": .hugeLength,
        "random": .random,
    ]

    /// The faults that `random` chooses from.
    static let drawn = [
        "json-error", "rsp-49", "302", "html", "empty", "tiny", "mistyped", "no-jfif", "padded", "short",
        "truncated", "wrong-length", "drip", "drip-header", "hang", "reset", "reset-mid", "endless",
        "endless-lengthless", "huge-length", "slow:300", "401", "404", "500",
    ].compactMap { Fault(name: $0) }

    /// The answer that replaces the real one; nil when the fault only alters the real one.
    func replacement(command: String, httpsPort: Int?) -> Answer? {
        switch self {
        case .rspCode(let code, let detail): return Answer(Refusal(code, detail), to: command)
        case .status(let status): return Answer(status: status)
        case .useHTTPS:
            return Answer(
                status: 300,
                location: httpsPort.map { "https://127.0.0.1:\($0)/cgi-bin/api.cgi?cmd=\(command)" })
        // The location has a good picture, so a test notices a client that follows the redirect.
        case .redirect: return Answer(status: 302, location: "/simulator/still.jpg")
        case .html:
            return Answer(
                html: "<!DOCTYPE html><html><head><title>Reolink</title></head><body></body></html>")
        case .hang, .reset:
            var answer = Answer([], type: "text/html")
            answer.manner = .silent(self == .hang ? .hang : .reset)
            return answer
        case .empty, .tiny, .mistyped, .noJFIF, .padded, .short, .frozen, .covered, .truncated, .wrongLength,
            .shortLength,
            .open, .mjpeg, .drip, .dripHead, .hangConnect, .resetMid, .endless, .endlessLengthless, .hugeLength, .slow,
            .random:
            return nil
        }
    }

    /// Alters a good answer.
    func spoil(_ answer: inout Answer) {
        let half = answer.body.count / 2
        switch self {
        case .empty: answer.body = []
        case .tiny: answer.body = Array(answer.body.prefix(28))
        case .short: answer.body = Array(answer.body.prefix(half))
        case .mistyped: answer.type = "apolication/octet-stream"
        case .noJFIF: answer.body = withoutJFIF(answer.body)
        case .padded: answer.body += Array(repeating: 0, count: 512)
        case .truncated: answer.manner = .cut(after: half, announcing: nil, then: .close)
        case .resetMid: answer.manner = .cut(after: half, announcing: nil, then: .reset)
        case .wrongLength:
            let count = answer.body.count
            answer.manner = .cut(after: count, announcing: count + 1000, then: .hang)
        case .shortLength:
            let count = answer.body.count
            answer.manner = .cut(after: count, announcing: max(0, count - 1000), then: .close)
        case .open: answer.manner = .open
        case .mjpeg: answer.manner = .parts
        case .drip: answer.manner = .drip(head: false)
        case .dripHead: answer.manner = .drip(head: true)
        case .endless, .endlessLengthless, .hugeLength:
            // Remove the EOI marker: with it the picture would be complete before the endless rest.
            answer.body = Array(answer.body.dropLast(2))
            answer.manner = .endless(
                self == .endless ? .chunked : self == .hugeLength ? .length(8 << 30) : .untilClose)
        case .slow(let delay): answer.delay = delay
        case .rspCode, .status, .useHTTPS, .redirect, .html, .frozen, .covered, .hang, .hangConnect, .reset, .random:
            break
        }
    }
}
