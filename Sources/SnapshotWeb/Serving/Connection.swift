import NIOCore
import NIOHTTP1
import SnapshotBase

/// One client: reads requests, answers them in order, and never waits longer than its patience.
final class Connection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// From connecting, or from the last answer, to the end of the next request's head.
    private static let patience = TimeAmount.seconds(5)
    /// For a client that takes nothing of a file.
    private static let stallPatience = TimeAmount.seconds(30)
    /// For what a client still sends after the last answer: closing at once would destroy that answer on its way.
    private static let lingerPatience = TimeAmount.seconds(1)

    private enum Phase { case waiting, streaming, ending, lingering, closed }
    private enum Demand {
        case request(HTTPRequestHead)
        case unreadable(Response)
    }

    private let connections: Connections
    private let isLocal: Bool
    private let answer: (Request) -> Response
    private let files: FileSource
    private var context: ChannelHandlerContext?
    private var phase = Phase.waiting
    private(set) var waitingSince = NIODeadline.now()
    private var demands = CircularBuffer<Demand>()
    private var wantsRead = false
    private var clientIsDone = false
    private var deadline = NIODeadline.distantFuture
    private var timer: Scheduled<Void>?
    private var due = NIODeadline.distantFuture

    init(connections: Connections, isLocal: Bool, files: FileSource, answer: @escaping (Request) -> Response) {
        self.connections = connections
        self.isLocal = isLocal
        self.files = files
        self.answer = answer
    }

    var isWaiting: Bool { phase == .waiting }

    func close() { context?.close(promise: nil) }

    // MARK: The channel's life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        guard connections.admit(self) else {
            context.close(promise: nil)
            return
        }
        allow(Self.patience)
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        timer?.cancel()
        connections.remove(self)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        connections.remove(self)
        self.context = nil
    }

    /// From now on the client has `time`; the timer that runs already does, unless it would come too late.
    private func allow(_ time: TimeAmount) {
        deadline = .now() + time
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

    /// No more is read than is answered.
    func read(context: ChannelHandlerContext) {
        let isFree = phase == .lingering || (phase == .waiting && demands.isEmpty)
        if isFree { context.read() } else { wantsRead = true }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data), phase != .lingering {
            demands.append(.request(head))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        answerAll(context)
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { answerAll(context) }
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
            case .headerOverflow: .refusal(.requestHeaderFieldsTooLarge, "the request's head is too large")
            case .invalidMethod: .methodNotAllowed
            default: .refusal(.badRequest, "this is no HTTP request")
            }
        demands.append(.unreadable(response))
        answerAll(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.inputClosed) = event as? ChannelEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        clientIsDone = true
        if phase == .lingering || (phase == .waiting && demands.isEmpty) { context.close(promise: nil) }
    }

    // MARK: Answers

    private func answerAll(_ context: ChannelHandlerContext) {
        while phase == .waiting, context.channel.isWritable, let demand = demands.popFirst() {
            switch demand {
            case .request(let head): respond(to: head, context)
            case .unreadable(let response): send(response, keepAlive: false, hasBody: true, context)
            }
        }
        context.flush()
        if phase == .waiting, demands.isEmpty {
            if clientIsDone { context.close(promise: nil) } else { resumeReading(context) }
        }
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard wantsRead else { return }
        wantsRead = false
        context.read()
    }

    private func respond(to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let request = Request(method: head.method, uri: head.uri, headers: head.headers, isLocal: isLocal)
        let response =
            isAddressed(head) ? answer(request) : .refusal(.badRequest, "exactly one Host field is needed")
        // A body is never wanted: the connection ends rather than wait for it. The parser stops at an upgrade.
        let isBare =
            !head.headers.contains(name: "Transfer-Encoding") && !head.headers.contains(name: "Upgrade")
            && head.headers["Content-Length"].allSatisfy { $0 == "0" } && head.method != .CONNECT
        let keepAlive = !response.closes && isBare && head.isKeepAlive
        send(response, keepAlive: keepAlive, hasBody: head.method != .HEAD, context)
    }

    private func isAddressed(_ head: HTTPRequestHead) -> Bool {
        let hosts = head.headers["Host"].count
        return hosts == 1 || (hosts == 0 && head.version == .http1_0)
    }

    private func send(_ response: Response, keepAlive: Bool, hasBody: Bool, _ context: ChannelHandlerContext) {
        var buffer = context.channel.allocator.buffer(capacity: 1024)
        response.write(to: &buffer, now: .now(), keepAlive: keepAlive, withText: hasBody)
        if hasBody, case .file(let file, let offset, let count) = response.body {
            context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
            stream(file, offset: offset, count: count, thenEnd: !keepAlive, context)
        } else if !keepAlive {
            phase = .ending
            allow(Self.patience)
            let written = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(wrapOutboundOut(buffer), promise: written)
            written.futureResult.assumeIsolated().whenComplete { _ in self.linger() }
        } else {
            context.write(wrapOutboundOut(buffer), promise: nil)
            waitForNext()
        }
    }

    private func waitForNext() {
        phase = .waiting
        waitingSince = .now()
        allow(Self.patience)
    }

    /// Says that nothing more will come, and lets the client finish speaking.
    private func linger() {
        guard let context, phase != .closed else { return }
        guard !clientIsDone else { return close() }
        phase = .lingering
        demands.removeAll()
        allow(Self.lingerPatience)
        context.close(mode: .output, promise: nil)
        resumeReading(context)
    }

    // MARK: Files

    /// One chunk at a time: read off the loop, written, and only when it has left is the next one read.
    private func stream(
        _ file: FileHandle, offset: Int, count: Int, thenEnd: Bool, _ context: ChannelHandlerContext
    ) {
        guard phase != .closed else { return }
        guard count > 0 else {
            if thenEnd {
                linger()
            } else {
                waitForNext()
                answerAll(context)
            }
            return
        }
        phase = .streaming
        allow(Self.stallPatience)
        files.chunk(of: file, at: offset, limit: count, on: context.eventLoop).assumeIsolated().whenComplete {
            result in
            // A file that became shorter: the length that was promised can't be kept.
            guard let context = self.context, self.phase != .closed, case .success(let chunk) = result,
                chunk.readableBytes > 0
            else { return self.close() }
            let written = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(self.wrapOutboundOut(chunk), promise: written)
            written.futureResult.assumeIsolated().whenSuccess {
                self.stream(
                    file, offset: offset + chunk.readableBytes, count: count - chunk.readableBytes,
                    thenEnd: thenEnd,
                    context)
            }
        }
    }
}
