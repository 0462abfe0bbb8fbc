import SnapshotBase
import SnapshotHTTP

/// Why a session between ffmpeg and a server is over.
package enum RTSPEnd: Equatable, Sendable {
    /// The server closed the connection, or left sent data unacknowledged.
    case lost
    /// ffmpeg closed the connection.
    case clientClosed
    /// The server didn't respond within the timeout.
    case silent
    /// The login is wrong or missing; with the response's status.
    case refused(Int)
    /// The server demands Basic, which sends the password in the clear, and that isn't allowed.
    case insecure
    /// The server refuses the request, e.g. because it has no such stream; with the response's status.
    case rejected(Int)
    /// The server redirects, which is never followed; with the response's status.
    case redirected(Int)
    /// What ffmpeg or the server sent isn't RTSP, or exceeds a limit.
    case malformed
    /// The server has no free session (status 453).
    case busy
    /// The video's size or encoding changed, so ffmpeg has to be restarted.
    case reformatted
    /// The server agreed to send UDP datagrams, and none has arrived.
    case noDatagrams
    /// The gateway was stopped.
    case stopped
}

/// The server behind a gateway, and the login for it.
package struct RTSPServer: Sendable {
    /// The stream's URL, without user and password.
    package var url: String
    package var user: String?
    package var password: String
    /// Whether Basic may be used, which sends the password in the clear, at a server that never offered Digest.
    package var mayUseBasic: Bool

    package init(url: String, user: String?, password: String, mayUseBasic: Bool) {
        self.url = url
        self.user = user
        self.password = password
        self.mayUseBasic = mayUseBasic
    }
}

/// Rewrites the messages between ffmpeg and a server: URLs and CSeq numbers become those that the receiver knows, the
/// login is added for the server, and redirects are withheld from ffmpeg.
package struct RTSPExchange: Sendable {
    /// What to do with a server's response.
    package enum Reaction: Equatable, Sendable {
        /// Send this response to ffmpeg.
        case pass(RTSPMessage)
        /// Send the server this request: the one that it has challenged, now with a login.
        case again(RTSPMessage)
        /// Send the SETUP again and ask for UDP, since the server refuses the transport that ffmpeg asked for.
        case otherTransport
        /// Send the request again later, since the server has no free session now (status 453).
        case busy
        /// Ignore the response: it matches no request.
        case nothing
    }

    /// A request that was sent to the server and has no response yet.
    private struct Sent {
        /// The request as ffmpeg sent it.
        var request: RTSPMessage
        /// The CSeq of ffmpeg's request.
        var number: String?
        /// How many times it was sent with a new login.
        var tries = 0
    }

    private let server: RTSPServer
    private var addresses: RTSPAddresses
    private var login: Authorizer?
    /// The requests without a response, by their CSeq to the server.
    private var waiting: [Int: Sent] = [:]
    private var lastNumber = 0
    /// Whether the server has ever offered Digest: then Basic is never used with it again.
    package private(set) var hasSeenDigest: Bool
    /// Whether the server has accepted ffmpeg's ANNOUNCE, i.e. the description of a push.
    private(set) var isAnnounced = false
    /// Whether UDP may be asked for if the server refuses to send media over the connection.
    var mayChangeTransport = false
    /// Whether media flows.
    package private(set) var isFlowing = false
    /// Why the session has to end; nil while it goes on.
    package private(set) var end: RTSPEnd?
    /// Whether the server owes a response.
    var isWaiting: Bool { !waiting.isEmpty }

    /// Logins per request: one for a challenge, and one more for a nonce that has become stale.
    private static let mostTries = 2
    private static let mostWaiting = 64

    package init(_ server: RTSPServer, localURL: String, hasSeenDigest: Bool) {
        self.server = server
        self.hasSeenDigest = hasSeenDigest
        addresses = RTSPAddresses(local: localURL, server: server.url)
    }

    /// ffmpeg's request as it is sent to the server.
    /// - Throws: where too many requests are unanswered.
    package mutating func request(_ message: RTSPMessage) throws(RTSPMalformed) -> RTSPMessage {
        guard waiting.count < Self.mostWaiting else { throw RTSPMalformed() }
        return send(Sent(request: message, number: message.values("CSeq").first))
    }

    private mutating func send(_ sent: Sent) -> RTSPMessage {
        var request = sent.request
        if let url = addresses.outward(request.url) { request.url = url }
        lastNumber += 1
        waiting[lastNumber] = sent
        request.set("CSeq", "\(lastNumber)")
        request.set(
            "Authorization",
            login?.authorization(
                user: server.user ?? "", password: server.password, method: request.method ?? "", url: request.url,
                clientNonce: hexadecimal(Crypto.random(8))))
        return request
    }

    /// Handles a server's response. Some cameras omit CSeq or get it wrong: then it belongs to the oldest request.
    package mutating func receive(_ message: RTSPMessage) -> Reaction {
        let sequence = message.values("CSeq").first.flatMap { Int($0) }
        guard let number = sequence.flatMap({ waiting[$0] == nil ? nil : $0 }) ?? waiting.keys.min(),
            let sent = waiting.removeValue(forKey: number)
        else { return .nothing }
        let status = message.status ?? 0
        switch status {
        case 401:
            if let again = logIn(sent, message.values("WWW-Authenticate")) { return .again(again) }
        case 403: end = .refused(status)
        case 300...399: end = .redirected(status)
        case 200...299:
            isAnnounced = isAnnounced || sent.request.method == "ANNOUNCE"
            isFlowing = isFlowing || ["PLAY", "RECORD"].contains(sent.request.method)
            if isAnnounced, sent.request.method == "SETUP", !Self.isOverTCP(message) { end = .rejected(status) }
        case 461 where mayChangeTransport && sent.request.method == "SETUP": return .otherTransport
        case 453 where !isFlowing: return .busy
        case 400... where !isFlowing: end = .rejected(status)
        default: break
        }
        return .pass(inward(message, number: sent.number))
    }

    /// Whether the response grants interleaved TCP and nothing else: the gateway pushes over the RTSP connection only.
    private static func isOverTCP(_ message: RTSPMessage) -> Bool {
        let transports = message.values("Transport")
        return transports.count == 1
            && transports.allSatisfy { $0.lowercased().hasPrefix("rtp/avp/tcp") && !$0.contains(",") }
    }

    private mutating func logIn(_ sent: Sent, _ values: [String]) -> RTSPMessage? {
        let challenges = LoginChallenge.all(values)
        let offersDigest = challenges.contains { $0.scheme == "digest" }
        hasSeenDigest = hasSeenDigest || offersDigest
        end = .refused(401)
        guard server.user != nil,
            sent.tries == 0 || sent.tries < Self.mostTries && challenges.contains(where: \.isStale)
        else { return nil }
        guard let chosen = Authorizer(challenges, mayBeBasic: server.mayUseBasic && !hasSeenDigest) else {
            if challenges.contains(where: { $0.scheme == "basic" }), !offersDigest { end = .insecure }
            return nil
        }
        login = chosen
        end = nil
        var sent = sent
        sent.tries += 1
        return send(sent)
    }

    private mutating func inward(_ message: RTSPMessage, number: String?) -> RTSPMessage {
        var message = message
        // ffmpeg must neither log in nor follow redirects. By Server and RealChallenge1 it recognises certain old
        // servers, to which it speaks dialects that the gateway doesn't know.
        for name in ["WWW-Authenticate", "Location", "Server", "RealChallenge1"] { message.set(name, nil) }
        for index in message.headers.indices {
            message.headers[index].value = addresses.inward(message.headers[index].value)
        }
        message.set("CSeq", number)
        if !message.body.isEmpty {
            message.body = addresses.inward(description: message.body)
            message.set("Content-Length", "\(message.body.count)")
        }
        return message
    }

    /// The gateway's response to a server's own request, which ffmpeg never sees.
    package func response(toServer request: RTSPMessage) -> RTSPMessage {
        var response = RTSPMessage.response(
            ["OPTIONS", "GET_PARAMETER"].contains(request.method) ? "200 OK" : "501 Not Implemented", to: request)
        response.set("Session", request.values("Session").first)
        return response
    }
}
