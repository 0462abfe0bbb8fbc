import Glibc
import SnapshotBase

/// How many requests of its own, and answers to nothing, a server may send: a few at once, then one a second.
struct UnaskedMessages {
    private static let atOnce = 16
    private var allowed = atOnce
    private var last: Uptime?

    mutating func note(at now: Uptime) throws(RTSPMalformed) {
        let seconds = last.map { Int(clamping: (now - $0).components.seconds) } ?? 0
        if seconds > 0 || last == nil { last = now }
        allowed = min(Self.atOnce, allowed.adding(seconds)) - 1
        guard allowed >= 0 else { throw RTSPMalformed() }
    }
}

/// One session between ffmpeg and a server: messages go through the exchange, packets of media pass as they are, in either
/// direction.
package struct RTSPSession {
    let client: PlainLine
    private let server: any RTSPLine
    private let timeout: Duration
    private let pace: Duration
    private(set) var exchange: RTSPExchange
    var media: DatagramMedia
    private var wait: BusyWait
    private let watchesFormat: Bool
    var format: FormatWatch?
    var fromClient = RTSPReader()
    private(set) var fromServer = RTSPReader()
    var end: RTSPEnd?
    /// What ffmpeg waits for the answer to.
    private(set) var unanswered: RTSPMessage?
    private var lastWords: [UInt8] = []
    private var answerBy: Deadline
    private var unasked = UnaskedMessages()
    /// So many bytes of media have come from the server.
    var came: (Int) -> Void = { _ in }

    package var isFlowing: Bool { exchange.isFlowing }
    package var hasSeenDigest: Bool { exchange.hasSeenDigest }

    /// - Parameters:
    ///   - timeout: how long either side may leave the other waiting before media flows.
    ///   - pace: how long to let media gather, so that it goes on in large pieces.
    package init(
        newcomer: GatewayClients.Newcomer, server: any RTSPLine, exchange: RTSPExchange, transport: RTSPTransport,
        watchesFormat: Bool, timeout: Duration, pace: Duration
    ) {
        client = newcomer.line
        self.server = server
        self.exchange = exchange
        self.exchange.mayChangeTransport = transport == .auto
        media = DatagramMedia(transport)
        wait = BusyWait(timeout: timeout)
        self.watchesFormat = watchesFormat
        self.timeout = timeout
        self.pace = pace
        answerBy = .after(timeout)
        fromClient.append(newcomer.said)
    }

    /// Runs until one side ends it, or `stop` becomes readable. Who candidates at the clients meanwhile is heard.
    /// - Parameter started: called when media begins to flow.
    package mutating func run(_ clients: inout GatewayClients, stop: Int32, started: () -> Void) -> RTSPEnd {
        var wasFlowing = false
        takeFromClient()
        while end == nil {
            wait(&clients, stop)
            if exchange.isFlowing, !wasFlowing {
                wasFlowing = true
                started()
            }
        }
        return end ?? .stopped
    }

    /// What ffmpeg is still to get. To be called when all has been noted: ffmpeg may end right away.
    package mutating func close() {
        if isHalfRecording {
            pretendToRecord(by: .after(.seconds(2)))
        } else if !lastWords.isEmpty {
            try? client.write(lastWords)
        }
        lastWords = []
    }

    private mutating func wait(_ clients: inout GatewayClients, _ stop: Int32) {
        let isBehind = fromClient.isFull || fromServer.isFull
        var ready = [stop, client.descriptor, server.descriptor].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        ready += media.descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let firstClient = ready.count
        ready += clients.waiting
        let next = [isFlowing ? media.firstBy : answerBy, wait.until, clients.wake].compactMap { $0?.millisecondsLeft }
            .min()
        retrying { poll(&ready, nfds_t(ready.count), isBehind ? 0 : next.map { Int32(clamping: $0) } ?? -1) }
        if ready[0].revents != 0 {
            // A session that ffmpeg has just taken leave of is closed in the camera, too.
            if ready[1].revents != 0 { takeFromClient() }
            return end = end ?? .stopped
        }
        if ready[firstClient...].contains(where: { $0.revents != 0 }) || clients.wake?.hasPassed == true {
            clients.turn()
        }
        let hasTraffic = isBehind || ready[1].revents != 0 || ready[2].revents != 0
        if hasTraffic { answerBy = .after(timeout) }
        if ready[1].revents != 0 || fromClient.isFull { takeFromClient() }
        if end == nil, ready[2].revents != 0 || fromServer.isFull { takeFromServer() }
        if end == nil, ready[3..<firstClient].contains(where: { $0.revents != 0 }) { takeDatagrams() }
        if end == nil, wait.isOver { askAgain() }
        if end == nil, media.firstBy?.hasPassed == true { end = .noDatagrams }
        // Until media flows there is always somebody's turn.
        if end == nil, !isFlowing, answerBy.hasPassed { end = exchange.isWaiting ? .silent : .left }
        if end == nil, isFlowing, !isBehind, pace > .zero { rest(stop) }
    }

    /// What comes in the meantime goes on in one piece.
    private func rest(_ stop: Int32) {
        var ready = pollfd(fd: stop, events: Int16(POLLIN), revents: 0)
        // A socket for datagrams holds little, and what is too much for it is lost.
        poll(&ready, 1, Int32(clamping: media.isUsed ? min(5, pace.milliseconds) : pace.milliseconds))
    }

    // MARK: One side's turn

    private mutating func takeFromClient() {
        let isOpen = Self.fill(&fromClient, from: client)
        do {
            while end == nil, let item = try fromClient.next() {
                switch item {
                case .packets(let range) where media.isUsed: fromClient.withBytes(range) { media.report($0) }
                case .packets(let range): try Self.pass(range, of: fromClient, to: server)
                case .message(let message):
                    unanswered = message
                    try ask(message)
                }
            }
        } catch { end = end ?? (error is RTSPMalformed ? .malformed : .lost) }
        if !isOpen, end == nil { end = .left }
    }

    private mutating func ask(_ message: RTSPMessage) throws {
        let request = try media.setUp(message, beside: server.descriptor)
        try server.write(try exchange.request(request).bytes)
    }

    private mutating func askAgain() {
        wait.until = nil
        guard let unanswered else { return }
        do { try ask(unanswered) } catch { end = end ?? .lost }
    }

    private mutating func takeFromServer() {
        let isOpen = Self.fill(&fromServer, from: server)
        do {
            while end == nil, let item = try fromServer.next() {
                switch item {
                case .packets(let range): try pass(range)
                case .message(let message): try answer(message)
                }
            }
        } catch { end = end ?? (error is RTSPMalformed ? .malformed : .lost) }
        if !isOpen, end == nil { end = .lost }
    }

    private mutating func answer(_ message: RTSPMessage) throws {
        guard message.method == nil else {
            try unasked.note(at: .now())
            return try server.write(exchange.answer(toServer: message).bytes)
        }
        switch exchange.answer(message) {
        case .nothing: try unasked.note(at: .now())
        case .again(let request): try server.write(request.bytes)
        case .otherTransport:
            media.isUsed = true
            exchange.mayChangeTransport = false
            if let unanswered { try ask(unanswered) }
        case .busy:
            if unanswered?.method == "SETUP" { media.dropLast() }
            if !wait.again() { end = .busy }
        case .pass(let answer): try pass(answer)
        }
    }

    private mutating func pass(_ answer: RTSPMessage) throws {
        end = exchange.end
        if end != nil { return lastWords = answer.bytes }
        var answer = answer
        if let asked = unanswered {
            guard let granted = media.granted(answer, to: asked) else { return end = .rejected(461) }
            answer = granted
            if asked.method == "PLAY" { media.play() }
            if asked.method == "DESCRIBE", watchesFormat { format = FormatWatch(description: answer.body) }
        }
        unanswered = nil
        try write(answer.bytes)
    }

    /// To ffmpeg, whose going away is no fault of the server's.
    mutating func write(_ bytes: [UInt8]) throws(RTSPClosed) {
        do throws(RTSPClosed) { try client.write(bytes) } catch {
            end = .left
            throw error
        }
    }

    static func pass(_ range: Range<Int>, of reader: borrowing RTSPReader, to line: any RTSPLine)
        throws(RTSPClosed)
    {
        let isTaken = reader.withBytes(range) { bytes in
            do throws(RTSPClosed) { try line.write(bytes) } catch { return false }
            return true
        }
        if !isTaken { throw RTSPClosed() }
    }

    /// - Returns: whether the other side is still there.
    static func fill(_ reader: inout RTSPReader, from line: any RTSPLine) -> Bool {
        var isOpen = true
        reader.fill { room in
            do throws(RTSPClosed) { return try line.read(into: room) } catch {
                isOpen = false
                return 0
            }
        }
        return isOpen
    }
}
