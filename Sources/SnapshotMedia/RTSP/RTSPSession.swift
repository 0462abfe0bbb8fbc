import Glibc
import SnapshotBase

/// A rate limit for a server's own requests and for responses that match no request: a burst, then one a second.
struct UnsolicitedMessages {
    private static let atOnce = 16
    private var allowed = atOnce
    private var last: Uptime?

    mutating func count(at now: Uptime) throws(RTSPMalformed) {
        let seconds = last.map { Int(clamping: (now - $0).components.seconds) } ?? 0
        if seconds > 0 || last == nil { last = now }
        allowed = min(Self.atOnce, allowed.adding(seconds)) - 1
        guard allowed >= 0 else { throw RTSPMalformed() }
    }
}

/// One session between ffmpeg and a server. Messages are rewritten by the exchange; interleaved media passes unchanged,
/// in either direction.
package struct RTSPSession {
    let client: PlainConnection
    private let server: any RTSPConnection
    private let timeout: Duration
    private let batchTime: Duration
    let clock: SystemClock
    private(set) var exchange: RTSPExchange
    var media: DatagramMedia
    private var busyRetry: BusyRetry
    private let watchesFormat: Bool
    var format: FormatWatch?
    var fromClient = RTSPReader()
    private(set) var fromServer = RTSPReader()
    var end: RTSPEnd?
    /// ffmpeg's request that has no response yet.
    private(set) var unanswered: RTSPMessage?
    /// The response that ends the session; ffmpeg gets it in `close`.
    private var finalResponse: [UInt8] = []
    /// Before media flows, the session ends at this time unless either side has sent something.
    private var nextMessageBy: Deadline
    private var unsolicited = UnsolicitedMessages()
    /// Called with the number of media bytes that have arrived from the server since the last call.
    var received: (Int) -> Void = { _ in }

    package var isFlowing: Bool { exchange.isFlowing }
    package var hasSeenDigest: Bool { exchange.hasSeenDigest }

    /// - Parameters:
    ///   - timeout: how long either side may be silent before media flows.
    ///   - batchTime: how long to let media accumulate, so that it is passed on in large writes.
    package init(
        newcomer: GatewayClients.Newcomer, server: any RTSPConnection, exchange: RTSPExchange, transport: RTSPTransport,
        watchesFormat: Bool, timeout: Duration, batchTime: Duration, clock: SystemClock
    ) {
        client = newcomer.connection
        self.server = server
        self.exchange = exchange
        self.exchange.mayChangeTransport = transport == .auto
        media = DatagramMedia(transport)
        busyRetry = BusyRetry(timeout: timeout)
        self.watchesFormat = watchesFormat
        self.timeout = timeout
        self.batchTime = batchTime
        self.clock = clock
        nextMessageBy = .after(timeout)
        fromClient.append(newcomer.received)
    }

    /// Runs until one side ends the session, or `stop` becomes readable.
    /// - Parameters:
    ///   - clients: the gateway's other connections, which are served meanwhile.
    ///   - started: called when media begins to flow.
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

    /// Sends ffmpeg the final response. Call it after the end was recorded, since ffmpeg may exit at once.
    package mutating func close() {
        if endedBeforeRecord {
            pretendToRecord(by: .after(.seconds(2)))
        } else if !finalResponse.isEmpty {
            try? client.write(finalResponse)
        }
        finalResponse = []
    }

    private mutating func wait(_ clients: inout GatewayClients, _ stop: Int32) {
        let isBehind = fromClient.isFull || fromServer.isFull
        var ready = [stop, client.descriptor, server.descriptor].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        ready += media.descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let firstClient = ready.count
        ready += clients.waiting
        let next = [isFlowing ? media.firstDatagramBy : nextMessageBy, busyRetry.next, clients.wake].compactMap {
            $0?.millisecondsLeft
        }
        .min()
        retrying { poll(&ready, nfds_t(ready.count), isBehind ? 0 : next.map { Int32(clamping: $0) } ?? -1) }
        if ready[0].revents != 0 {
            // ffmpeg may have sent TEARDOWN just before: pass it on, so that the camera ends its session.
            if ready[1].revents != 0 { takeFromClient() }
            return end = end ?? .stopped
        }
        if ready[firstClient...].contains(where: { $0.revents != 0 }) || clients.wake?.hasPassed == true {
            clients.serve()
        }
        let clientHasSent = ready[1].revents != 0
        let hasTraffic = isBehind || clientHasSent || ready[2].revents != 0
        if hasTraffic { nextMessageBy = .after(timeout) }
        // ffmpeg passes on each burst of media in many small writes: wait for the rest of them.
        if clientHasSent, !isBehind { letMediaAccumulate(stop) }
        if clientHasSent || fromClient.isFull { takeFromClient() }
        if end == nil, ready[2].revents != 0 || fromServer.isFull { takeFromServer() }
        if end == nil, ready[3..<firstClient].contains(where: { $0.revents != 0 }) { takeDatagrams() }
        if end == nil, busyRetry.isDue { sendAgain() }
        if end == nil, media.firstDatagramBy?.hasPassed == true { end = .noDatagrams }
        // Before media flows, either the server owes a response or ffmpeg a request.
        if end == nil, !isFlowing, nextMessageBy.hasPassed { end = exchange.isWaiting ? .silent : .clientClosed }
        // A camera sends its pictures evenly: let some accumulate before the next are read.
        let serverHasSent = ready[2..<firstClient].contains { $0.revents != 0 }
        if end == nil, serverHasSent, !clientHasSent, !isBehind { letMediaAccumulate(stop) }
    }

    /// Once media flows, waits for `batchTime`, so that what arrives meanwhile is passed on in one write.
    private func letMediaAccumulate(_ stop: Int32) {
        guard isFlowing, batchTime > .zero else { return }
        var ready = pollfd(fd: stop, events: Int16(POLLIN), revents: 0)
        // Don't wait long with UDP, since what exceeds a socket's receive buffer is lost.
        poll(&ready, 1, Int32(clamping: media.isUsed ? min(5, batchTime.milliseconds) : batchTime.milliseconds))
    }

    // MARK: Messages

    private mutating func takeFromClient() {
        let isOpen = Self.fill(&fromClient, from: client)
        do {
            while end == nil, let item = try fromClient.next() {
                switch item {
                case .packets(let range) where media.isUsed: fromClient.withBytes(range) { media.report($0) }
                case .packets(let range): try Self.pass(range, of: fromClient, to: server)
                case .message(let message):
                    unanswered = message
                    try forward(message)
                }
            }
        } catch { end = end ?? (error is RTSPMalformed ? .malformed : .lost) }
        if !isOpen, end == nil { end = .clientClosed }
    }

    private mutating func forward(_ message: RTSPMessage) throws {
        let request = try media.setUp(message, beside: server.descriptor)
        try server.write(try exchange.request(request).bytes)
    }

    private mutating func sendAgain() {
        busyRetry.next = nil
        guard let unanswered else { return }
        do { try forward(unanswered) } catch { end = end ?? .lost }
    }

    private mutating func takeFromServer() {
        let isOpen = Self.fill(&fromServer, from: server)
        do {
            while end == nil, let item = try fromServer.next() {
                switch item {
                case .packets(let range): try pass(range)
                case .message(let message): try takeMessage(message)
                }
            }
        } catch { end = end ?? (error is RTSPMalformed ? .malformed : .lost) }
        if !isOpen, end == nil { end = .lost }
    }

    private mutating func takeMessage(_ message: RTSPMessage) throws {
        guard message.method == nil else {
            try unsolicited.count(at: clock.up())
            return try server.write(exchange.response(toServer: message).bytes)
        }
        switch exchange.receive(message) {
        case .nothing: try unsolicited.count(at: clock.up())
        case .again(let request): try server.write(request.bytes)
        case .otherTransport:
            media.isUsed = true
            exchange.mayChangeTransport = false
            if let unanswered { try forward(unanswered) }
        case .busy:
            if unanswered?.method == "SETUP" { media.dropLast() }
            if !busyRetry.planRetry() { end = .busy }
        case .pass(let response): try pass(response)
        }
    }

    private mutating func pass(_ response: RTSPMessage) throws {
        end = exchange.end
        if end != nil { return finalResponse = response.bytes }
        var response = response
        if let request = unanswered {
            guard let granted = media.granted(response, to: request) else { return end = .rejected(461) }
            response = granted
            if request.method == "PLAY" { media.play() }
            if request.method == "DESCRIBE", watchesFormat { format = FormatWatch(description: response.body) }
        }
        unanswered = nil
        try write(response.bytes)
    }

    /// Writes to ffmpeg. If ffmpeg has closed its connection, the session ends for that reason, not as `lost`.
    mutating func write(_ bytes: [UInt8]) throws(RTSPClosed) {
        do throws(RTSPClosed) { try client.write(bytes) } catch {
            end = .clientClosed
            throw error
        }
    }

    static func pass(_ range: Range<Int>, of reader: borrowing RTSPReader, to connection: any RTSPConnection)
        throws(RTSPClosed)
    {
        let isTaken = reader.withBytes(range) { bytes in
            do throws(RTSPClosed) { try connection.write(bytes) } catch { return false }
            return true
        }
        if !isTaken { throw RTSPClosed() }
    }

    /// - Returns: whether the connection is still open.
    static func fill(_ reader: inout RTSPReader, from connection: any RTSPConnection) -> Bool {
        var isOpen = true
        reader.fill { room in
            do throws(RTSPClosed) { return try connection.read(into: room) } catch {
                isOpen = false
                return 0
            }
        }
        return isOpen
    }
}
