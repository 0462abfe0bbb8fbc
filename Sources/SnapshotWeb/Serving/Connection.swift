import NIOCore
import NIOHTTP1
import SnapshotBase

/// One client's connection: responds to its requests in order, one at each turn of the event loop, within time limits.
/// NIO's `HTTPServerPipelineHandler` isn't used: it passes the next request on in the same turn in which a response
/// ends, so one client's pipelined requests would delay all other clients.
final class Connection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long a client may take from connecting, or from the last response, to the end of its next request's head.
    private static let requestTimeout = TimeAmount.seconds(5)
    /// How long reading a file, or sending it to the client, may make no progress.
    static let stallTimeout = TimeAmount.seconds(30)
    /// How long the client may still send after the last response. Closing at once would reset the connection, and the
    /// client could lose that response.
    private static let lingerTimeout = TimeAmount.seconds(1)

    enum Phase { case waiting, answering, ending, lingering, closed }
    /// A received request that has no response yet, or the response to one that can't be parsed.
    private enum Pending {
        case request(HTTPRequestHead)
        case malformed(Response)
    }

    let services: SharedServices
    private let hasLocalSocket: Bool
    private(set) var context: ChannelHandlerContext?
    private(set) var phase = Phase.waiting
    private(set) var waitingSince = NIODeadline.now()
    /// When the connection last made progress.
    private(set) var progressedAt = NIODeadline.now()
    private var pending = CircularBuffer<Pending>()
    /// Whether NIO has asked for a read that was put off.
    private var wantsRead = false
    private var isInputClosed = false
    private var deadline = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    /// When the timer fires.
    private var due = NIODeadline.distantFuture

    init(_ services: SharedServices, hasLocalSocket: Bool) {
        self.services = services
        self.hasLocalSocket = hasLocalSocket
    }

    var isWaiting: Bool { phase == .waiting }

    func close() { context?.close(promise: nil) }

    // MARK: The channel's life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard services.connections.admit(self) else {
            context.close(promise: nil)
            return
        }
        setDeadline(in: Self.requestTimeout)
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        timer?.cancel()
        services.connections.remove(self)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        services.connections.remove(self)
        self.context = nil
    }

    /// Sets the deadline to `time` from now. A running timer checks it, and is replaced only if it would fire too late.
    func setDeadline(in time: TimeAmount) {
        progressedAt = .now()
        deadline = progressedAt + time
        if timer == nil || deadline < due { schedule() }
    }

    private func schedule() {
        timer?.cancel()
        due = deadline
        timer = context?.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.timer = nil
            if self.deadline <= .now() { self.close() } else { self.schedule() }
        }
    }

    // MARK: Requests

    /// Reads on only when all received requests have responses, so that a client can't pile them up in memory.
    func read(context: ChannelHandlerContext) {
        let isFree = phase == .lingering || (phase == .waiting && pending.isEmpty)
        if isFree { context.read() } else { wantsRead = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data), phase != .lingering {
            pending.append(.request(head))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        takeTurn()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { goOn() }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else {
            if !(error is ByteToMessageDecoderError) { context.close(promise: nil) }
            return
        }
        guard phase != .lingering else { return }
        let response: Response =
            switch error {
            case .headerOverflow: .closing(.requestHeaderFieldsTooLarge, "the request's head is too large")
            case .invalidMethod: .methodNotAllowed
            default: .closing(.badRequest, "this isn't an HTTP request")
            }
        pending.append(.malformed(response))
        goOn()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.inputClosed) = event as? ChannelEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        isInputClosed = true
        if phase == .lingering || (phase == .waiting && pending.isEmpty) { context.close(promise: nil) }
    }

    // MARK: Responses

    /// Responds to one request, if one has been received and the buffer to the client has room for a response.
    func takeTurn() {
        guard let context, phase == .waiting, context.channel.isWritable else { return }
        switch pending.popFirst() {
        case .request(let head): respond(to: head, context)
        case .malformed(let response): send(response, keepAlive: false, hasBody: true)
        case nil: goOn()
        }
    }

    /// Queues the connection for a turn if its next request has been received; otherwise reads it.
    private func goOn() {
        guard let context, phase == .waiting else { return }
        guard pending.isEmpty else {
            if context.channel.isWritable { services.pipeline.add(self) }
            return
        }
        if isInputClosed { close() } else { resumeReading(context) }
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard wantsRead else { return }
        wantsRead = false
        context.read()
    }

    private func respond(to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let channel = context.channel
        let request = Request(
            method: head.method, uri: head.uri, headers: head.headers, hasLocalSocket: hasLocalSocket,
            isOverLoopback: channel.localAddress?.isLoopback ?? false, peer: channel.remoteAddress?.ipBytes,
            source: ClientNetwork(channel.remoteAddress))
        // A request with a body ends the connection, since no request that is served needs a body. So does one with an
        // upgrade, after which NIO's parser stops.
        let isBare =
            !head.headers.contains(name: "Transfer-Encoding") && !head.headers.contains(name: "Upgrade")
            && head.headers["Content-Length"].allSatisfy { $0 == "0" } && head.method != .CONNECT
        let (keepAlive, hasBody) = (isBare && head.isKeepAlive, head.method != .HEAD)
        guard hasHost(head) else {
            return send(.closing(.badRequest, "exactly one Host field is needed"), keepAlive: false, hasBody: hasBody)
        }
        switch services.router.decide(request) {
        case .ready(let response): send(response, keepAlive: keepAlive, hasBody: hasBody)
        case .reading(let route, let read):
            guard !route.isFile || services.connections.admitToFile(self) else {
                return send(.busy, keepAlive: keepAlive, hasBody: hasBody)
            }
            phase = .answering
            setDeadline(in: Self.stallTimeout)
            services.files.response(to: route, on: context.eventLoop, read).assumeIsolated().whenComplete { result in
                guard self.phase == .answering else { return }
                guard case .success(let response) = result else { return self.close() }
                self.send(response, keepAlive: keepAlive, hasBody: hasBody)
            }
        }
    }

    private func hasHost(_ head: HTTPRequestHead) -> Bool {
        let hosts = head.headers["Host"].count
        return hosts == 1 || (hosts == 0 && head.version == .http1_0)
    }

    private func send(_ response: Response, keepAlive: Bool, hasBody: Bool) {
        guard let context else { return }
        let keepAlive = keepAlive && !response.closes
        context.write(wrapOutboundOut(response.head(now: services.clock.wall(), keepAlive: keepAlive)), promise: nil)
        guard hasBody else { return end(keepAlive: keepAlive) }
        switch response.body {
        case .bytes(let bytes):
            if bytes.readableBytes > 0 { context.write(wrapOutboundOut(bytes), promise: nil) }
            end(keepAlive: keepAlive)
        case .file(let file, let offset, let count):
            phase = .answering
            context.flush()
            stream(file, offset: offset, count: count, keepAlive: keepAlive)
        }
    }

    /// Ends a response: goes on to the next request, or closes the connection.
    func end(keepAlive: Bool) {
        guard let context, phase != .closed else { return }
        services.connections.leaveFile(self)
        guard keepAlive else {
            phase = .ending
            setDeadline(in: Self.requestTimeout)
            let written = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
            written.futureResult.assumeIsolated().whenComplete { _ in self.linger() }
            return
        }
        phase = .waiting
        waitingSince = .now()
        setDeadline(in: Self.requestTimeout)
        context.flush()
        goOn()
    }

    /// Closes the sending half of the connection, and lets the client finish sending.
    private func linger() {
        guard let context, phase != .closed else { return }
        guard !isInputClosed else { return close() }
        phase = .lingering
        pending.removeAll()
        setDeadline(in: Self.lingerTimeout)
        context.close(mode: .output, promise: nil)
        resumeReading(context)
    }
}
