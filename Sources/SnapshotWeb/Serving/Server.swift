import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import SnapshotBase

/// Serves the web front on listening sockets until a signal stops it, or no client has been connected for `idleExit`.
package struct Server: Sendable {
    private let options: WebOptions
    /// The time without a client after which the process ends; nil where it never does.
    private let idleExit: TimeAmount?

    /// How long a process runs at least, even if no client connects.
    private static let shortestLife = TimeAmount.seconds(5)
    private static let stopTimeout = TimeAmount.seconds(2)

    /// - Parameter idleExit: the time without a client after which `run` returns; nil where it waits for a signal.
    package init(options: WebOptions, idleExit: Duration?) {
        self.options = options
        self.idleExit = idleExit.map { .nanoseconds($0.nanoseconds) }
    }

    /// Blocks until the server has stopped.
    /// - Parameter ready: called once, when connections are accepted and signals are handled.
    /// - Throws: NIO's error where a socket can't be served.
    package func run(_ listeners: [Listener], ready: () -> Void) throws {
        // Block the signals before any thread starts: all threads inherit that, and only `stopSignals.wait` receives
        // them.
        let stopSignals = StopSignals()
        let limits = Limits.granted()
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let finished = loop.makePromise(of: Void.self)
        let state = try loop.submit {
            let state = LoopState(
                loop: loop, listeners: listeners, connections: Connections(limits: limits),
                router: RequestRouter(options), finished: finished)
            state.open()
            if let idleExit { state.watchIdleness(limit: idleExit, notBefore: .now() + Self.shortestLife) }
            return NIOLoopBound(state, eventLoop: loop)
        }.wait()
        finished.futureResult.whenComplete { _ in stopSignals.raise() }
        ready()
        stopSignals.wait()
        loop.execute { state.value.stop(by: .now() + Self.stopTimeout) }
        try finished.futureResult.wait()
    }
}

/// The sockets, the connections and the router, all of them used on the event loop only.
private final class LoopState {
    private let loop: any EventLoop
    private let listeners: [Listener]
    private let connections: Connections
    private let router: RequestRouter
    private let finished: EventLoopPromise<Void>
    private var listeningChannels: [any Channel] = []

    private static let acceptPause = TimeAmount.milliseconds(200)

    init(
        loop: any EventLoop, listeners: [Listener], connections: Connections, router: RequestRouter,
        finished: EventLoopPromise<Void>
    ) {
        self.loop = loop
        self.listeners = listeners
        self.connections = connections
        self.router = router
        self.finished = finished
    }

    func open() {
        let limits = headLimits
        let services = NIOLoopBound(
            Connection.SharedServices(
                connections: connections, pipeline: PipelineQueue(loop: loop), router: router, files: FileSource()),
            eventLoop: loop)
        for listener in listeners {
            ServerBootstrap(group: loop)
                // Pause when descriptors run out: the system would report the same waiting client again at once.
                .serverChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            AcceptBackoffHandler(shouldForwardIOErrorCaught: false) { _ in Self.acceptPause })
                    }
                }
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                // Request heads are small; with small reads few pipelined requests are in memory at once.
                .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
                .childChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers(
                            ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits)),
                            Connection(services.value, hasLocalSocket: listener.isLocal))
                    }
                }
                .withBoundSocket(listener.descriptor)
                .assumeIsolated()
                .whenComplete { result in
                    switch result {
                    case .success(let channel):
                        self.listeningChannels.append(channel)
                        // NIO's bootstrap has just shortened the backlog; this restores it.
                        listen(listener.descriptor, SOMAXCONN)
                    case .failure(let error): self.finished.fail(error)
                    }
                }
        }
    }

    private var headLimits: NIOHTTPDecoderLimitConfiguration {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 8192
        limits.maxHeaderListSize = 8192
        limits.maxHeaderFieldCount = 100
        return limits
    }

    /// Ends the process when no client is connected, none has been for `limit`, and none waits to be accepted. A client
    /// that connects after the last check stays in the socket's backlog, and systemd starts the next process for it.
    func watchIdleness(limit: TimeAmount, notBefore: NIODeadline) {
        let due = max(notBefore, connections.lastActivity + limit)
        let soon = NIODeadline.now() + .milliseconds(200)
        loop.assumeIsolated().scheduleTask(deadline: max(due, soon)) {
            let isIdle =
                self.connections.isEmpty && self.connections.lastActivity + limit <= .now()
                && !self.listeners.contains(where: \.hasPending)
            if isIdle { self.finish() } else { self.watchIdleness(limit: limit, notBefore: notBefore) }
        }
    }

    /// Accepts no more connections, and lets begun responses finish until `end`.
    func stop(by end: NIODeadline) {
        closeListeners()
        connections.closeWaiting()
        guard !connections.isEmpty, .now() < end else { return finished.succeed() }
        loop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { self.stop(by: end) }
    }

    private func finish() {
        closeListeners()
        finished.succeed()
    }

    private func closeListeners() {
        for channel in listeningChannels { channel.close(promise: nil) }
        listeningChannels = []
    }
}
