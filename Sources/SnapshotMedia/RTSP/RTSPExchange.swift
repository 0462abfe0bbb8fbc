import SnapshotBase
import SnapshotHTTP

/// Why a session between ffmpeg and a server is over.
package enum RTSPEnd: Equatable, Sendable {
    /// The server closed the connection, or doesn't take what it is sent.
    case lost
    /// ffmpeg did.
    case left
    /// The server owes an answer.
    case silent
    /// The login is no good, or there is none; the answer's status.
    case refused(Int)
    /// The server wants the password in the clear, and that isn't allowed.
    case insecure
    /// The server doesn't have this stream, or doesn't want it; the answer's status.
    case rejected(Int)
    /// The server sends elsewhere, where nobody goes.
    case redirected(Int)
    /// What comes isn't RTSP.
    case malformed
    /// The server has no session left.
    case busy
    /// Its video became another, and what is written of it has to begin anew.
    case reformatted
    /// It agreed to send datagrams, and none has come.
    case noDatagrams
    /// Ended from here.
    case stopped
}

/// The server behind a gateway, and what may be told to it.
package struct RTSPServer: Sendable {
    /// The stream's address as the server is asked for it, without user and password.
    package var url: String
    package var user: String?
    package var password: String
    /// Whether the password may be sent as it is, where the server never offered Digest.
    package var mayUseBasic: Bool

    package init(url: String, user: String?, password: String, mayUseBasic: Bool) {
        self.url = url
        self.user = user
        self.password = password
        self.mayUseBasic = mayUseBasic
    }
}

/// What ffmpeg and a server say to each other, on its way: each gets the addresses and numbers that it knows, the server
/// gets the login, and ffmpeg nothing that it could follow elsewhere.
package struct RTSPExchange: Sendable {
    package enum Reply: Equatable, Sendable {
        /// For ffmpeg.
        case pass(RTSPMessage)
        /// For the server: the request once more, with a login.
        case again(RTSPMessage)
        /// The server refuses the transport that ffmpeg has asked for.
        case otherTransport
        /// The server has no session left just now.
        case busy
        case nothing
    }

    private struct Sent {
        var request: RTSPMessage
        /// ffmpeg's number for it.
        var number: String?
        var tries = 0
    }

    private let server: RTSPServer
    private var addresses: RTSPAddresses
    private var login: ChallengeLogin?
    private var waiting: [Int: Sent] = [:]
    private var lastNumber = 0
    /// Whether the server has ever offered Digest: then it never gets the password itself.
    package private(set) var hasSeenDigest: Bool
    /// Whether the server has taken the description of what ffmpeg pushes.
    private(set) var isAnnounced = false
    /// Whether another transport may be asked for where the server refuses one.
    var mayChangeTransport = false
    /// Whether media flows.
    package private(set) var isFlowing = false
    package private(set) var end: RTSPEnd?
    /// Whether the server owes an answer.
    var isWaiting: Bool { !waiting.isEmpty }

    /// A challenge, and one more for a nonce that has become stale meanwhile.
    private static let mostTries = 2
    private static let mostWaiting = 64

    package init(_ server: RTSPServer, localURL: String, hasSeenDigest: Bool) {
        self.server = server
        self.hasSeenDigest = hasSeenDigest
        addresses = RTSPAddresses(local: localURL, server: server.url)
    }

    /// ffmpeg's request as the server gets it.
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

    /// What a server's answer comes to. Some cameras forget its number: answers come in the requests' order.
    package mutating func answer(_ message: RTSPMessage) -> Reply {
        let told = message.values("CSeq").first.flatMap { Int($0) }
        guard let number = told.flatMap({ waiting[$0] == nil ? nil : $0 }) ?? waiting.keys.min(),
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

    /// ffmpeg pushes over this connection, and wants to be told so in one way.
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
        guard let answer = ChallengeLogin(challenges, mayBeBasic: server.mayUseBasic && !hasSeenDigest) else {
            if challenges.contains(where: { $0.scheme == "basic" }), !offersDigest { end = .insecure }
            return nil
        }
        login = answer
        end = nil
        var sent = sent
        sent.tries += 1
        return send(sent)
    }

    private mutating func inward(_ message: RTSPMessage, number: String?) -> RTSPMessage {
        var message = message
        // ffmpeg knows no login, goes nowhere else, and has ways of its own for certain old servers.
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

    /// The answer to a request of the server's, which ffmpeg needn't know of.
    package func answer(toServer request: RTSPMessage) -> RTSPMessage {
        var answer = RTSPMessage.answer(
            ["OPTIONS", "GET_PARAMETER"].contains(request.method) ? "200 OK" : "501 Not Implemented", to: request)
        answer.set("Session", request.values("Session").first)
        return answer
    }
}
