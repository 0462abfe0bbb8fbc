import Glibc
import SnapshotBase
import SnapshotCore

/// One push: requests get the server's address and the login, everything else passes as it is.
struct PushSession {
    enum End: Equatable {
        /// The login is no good, or there is none.
        case refused
        /// The server doesn't want this stream.
        case rejected
        case lost(wasFlowing: Bool)
    }

    private struct Sent {
        var request: RTSPMessage
        /// ffmpeg's number for it.
        var number: String
        var isSecondTry = false
    }

    private let client: FileHandle
    private let server: FileHandle
    private let destination: PushDestination
    private let localURL: String
    private let troubles: OutputTroubles
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    private var fromClient = RTSPReader()
    private var fromServer = RTSPReader()
    private var login: RTSPLogin?
    private var waiting: [Int: Sent] = [:]
    private var lastNumber = 0
    private var isFlowing = false
    /// Whether more waits than the last read took.
    private var isBehind = false
    private var end: End?

    init(
        client: FileHandle, server: FileHandle, destination: PushDestination, localURL: String,
        troubles: OutputTroubles
    ) {
        self.client = client
        self.server = server
        self.destination = destination
        self.localURL = localURL
        self.troubles = troubles
    }

    mutating func run() -> End {
        do {
            while end == nil {
                var ready = [client, server].map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
                // Until media flows there is always somebody's turn.
                let limit: Int32 = isFlowing ? -1 : Int32(PushGateway.patience.milliseconds)
                guard retrying({ poll(&ready, 2, limit) }) > 0 else { break }
                if ready[0].revents != 0 { try takeFromClient() }
                if ready[1].revents != 0 { try takeFromServer() }
                // What comes in the meantime goes on in one piece.
                if isFlowing, !isBehind { usleep(100_000) }
            }
        } catch {}
        let end = end ?? .lost(wasFlowing: isFlowing)
        if case .lost = end { troubles.set(.republish, "push-lost") }
        return end
    }

    /// One side has closed its connection or doesn't take what it is sent.
    private struct Closed: Error {}

    private mutating func read(_ side: FileHandle) throws -> ArraySlice<UInt8> {
        let count = retrying { Glibc.read(side.descriptor, &buffer, buffer.count) }
        guard count > 0 else { throw Closed() }
        isBehind = count == buffer.count
        return buffer[..<count]
    }

    private static func write(_ bytes: [UInt8], to side: FileHandle) throws {
        if !bytes.isEmpty { try side.write(bytes) }
    }

    private mutating func takeFromClient() throws {
        fromClient.append(try read(client))
        var out: [UInt8] = []
        while let item = try fromClient.next() {
            switch item {
            case .packets(let packets): out += packets
            case .message(let message):
                let number = message.values("CSeq").first ?? ""
                out += send(Sent(request: message, number: number))
            }
        }
        try Self.write(out, to: server)
    }

    private mutating func takeFromServer() throws {
        fromServer.append(try read(server))
        var back: [UInt8] = []
        while end == nil, let item = try fromServer.next() {
            switch item {
            case .packets(let packets): back += packets
            case .message(let message): back += try answer(message)
            }
        }
        try Self.write(back, to: client)
    }

    /// The request as the server gets it.
    private mutating func send(_ sent: Sent) -> [UInt8] {
        var request = sent.request
        if request.url.hasPrefix(localURL) { request.url = destination.url + request.url.dropFirst(localURL.count) }
        lastNumber += 1
        waiting[lastNumber] = sent
        request.set("CSeq", "\(lastNumber)")
        request.set(
            "Authorization",
            login?.authorization(
                user: destination.user, password: destination.password, method: request.method ?? "",
                url: request.url, clientNonce: hexadecimal(Crypto.random(8))))
        return request.bytes
    }

    /// What ffmpeg gets of an answer.
    private mutating func answer(_ message: RTSPMessage) throws -> [UInt8] {
        guard let number = message.values("CSeq").first.flatMap({ Int($0) }), var sent = waiting[number] else {
            return []
        }
        waiting[number] = nil
        switch message.status ?? 0 {
        case 401 where !sent.isSecondTry && !destination.user.isEmpty:
            login = RTSPLogin(challenges: message.values("WWW-Authenticate"))
            sent.isSecondTry = true
            if login != nil {
                try Self.write(send(sent), to: server)
                return []
            }
            fallthrough
        case 401, 403:
            troubles.set(.republish, "push-refused")
            end = .refused
        case 200...299:
            if sent.request.method == "RECORD" {
                isFlowing = true
                troubles.set(.republish, nil)
            }
        case 400... where !isFlowing && sent.request.method != "OPTIONS":
            troubles.set(.republish, "push-rejected")
            end = .rejected
        default: break
        }
        var message = message
        message.set("CSeq", sent.number)
        return message.bytes
    }
}
