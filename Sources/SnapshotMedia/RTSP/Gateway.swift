import Glibc
import SnapshotBase
import Synchronization

/// A proxy between ffmpeg and an RTSP server. ffmpeg connects to a port on loopback; the gateway makes the connection
/// to the server, its TLS and its login. It serves one session at a time, in a thread of its own, until `stop`.
package final class Gateway: Sendable {
    /// The server behind a gateway, and callbacks. They run in the gateway's thread.
    package struct Destination: Sendable {
        package var server: RTSPServer
        /// How long either side may be silent before media flows.
        package var timeout: Duration
        /// How long media may accumulate before it is passed on, so that writes are few and large.
        package var batchTime: Duration
        package var clock: SystemClock
        /// The transport of media from the server. A push always goes over the RTSP connection.
        package var transport = RTSPTransport.tcp
        /// Whether a session ends when the video's size or encoding changes.
        package var watchesFormat = false
        /// Whether the server has offered Digest; shared with later gateways to the same server.
        package var digest = OfferedDigest()
        /// Connects to the server; the connection is ready for the first request.
        package var connect: @Sendable () throws(Failure) -> any RTSPConnection
        /// Called when a client was admitted; if it returns false, there is no session and the client is disconnected.
        package var mayBegin: @Sendable () -> Bool = { true }
        /// Called when media begins to flow.
        package var flows: @Sendable () -> Void = {}
        /// Called with the number of media bytes that have arrived since the last call.
        package var received: @Sendable (Int) -> Void = { _ in }
        /// Called when a session has ended, or when there was none because the server can't be reached.
        package var ended: @Sendable (Ending) -> Void

        package init(
            server: RTSPServer, timeout: Duration, batchTime: Duration, clock: SystemClock,
            connect: @escaping @Sendable () throws(Failure) -> any RTSPConnection,
            ended: @escaping @Sendable (Ending) -> Void
        ) {
            self.server = server
            self.timeout = timeout
            self.batchTime = batchTime
            self.clock = clock
            self.connect = connect
            self.ended = ended
        }
    }

    /// How a session ended, or why there was none.
    package enum Ending: Sendable {
        case unconnected(Failure)
        case session(RTSPEnd, wasFlowing: Bool)
    }

    /// The URL that ffmpeg is given instead of the server's.
    package let localURL: String
    /// The writing end of a pipe; the thread stops when it is closed.
    private let stopping: Mutex<FileHandle?>
    /// The reading end of another pipe, which becomes readable when the thread has stopped.
    private let stopped: FileHandle

    /// - Parameters:
    ///   - path: the path of the URL that ffmpeg is given.
    ///   - admits: whether a client that knows the URL is admitted; called in the gateway's thread.
    package init(
        path: String, to destination: Destination, admits: @escaping @Sendable (FileHandle) -> Bool = { _ in true }
    ) throws(Failure) {
        let url: String
        do throws(SystemError) {
            let (listener, port) = try listenOnLoopback()
            url = "rtsp://127.0.0.1:\(port)/\(path)"
            let (stop, stopping) = try makePipe()
            let (stopped, ended) = try makePipe()
            self.stopping = Mutex(stopping)
            self.stopped = stopped
            let isRunning = detach {
                var clients = GatewayClients(listener: listener) { client, request in
                    isAddress(request.url, below: url) && admits(client)
                }
                serve(&clients, url, destination, stop)
                withExtendedLifetime(ended) {}
            }
            guard isRunning else { throw SystemError("pthread_create", number: EAGAIN) }
        } catch {
            throw Failure(.own(.gateway), "cannot listen on loopback", why: "\(error)", cause: error)
        }
        localURL = url
    }

    deinit { stop(grace: .zero) }

    /// Ends the present session, and admits no other client.
    /// - Parameter grace: how long to wait for the gateway's thread.
    package func stop(grace: Duration) {
        stopping.withLock { $0 = nil }
        var end = pollfd(fd: stopped.descriptor, events: Int16(POLLIN), revents: 0)
        if grace > .zero { retrying { poll(&end, 1, Int32(clamping: grace.milliseconds)) } }
    }
}

/// Remembers that a server has offered Digest: from then on Basic is never used with it.
package final class OfferedDigest: Sendable {
    private let seen: Mutex<Bool>

    package init(isSet: Bool = false) { seen = Mutex(isSet) }
    package var isSet: Bool { seen.withLock { $0 } }
    func set() { seen.withLock { $0 = true } }
}

/// Whether `url` is `base`, or a track or query below it.
private func isAddress(_ url: String, below base: String) -> Bool {
    RTSPAddresses(local: base, server: base).outward(url) != nil
}

private func serve(
    _ clients: inout GatewayClients, _ url: String, _ destination: Gateway.Destination, _ stop: FileHandle
) {
    while let newcomer = nextNewcomer(&clients, stop) {
        guard destination.mayBegin() else { continue }
        let connection: any RTSPConnection
        do throws(Failure) { connection = try destination.connect() } catch {
            destination.ended(.unconnected(error))
            continue
        }
        let exchange = RTSPExchange(destination.server, localURL: url, hasSeenDigest: destination.digest.isSet)
        var session = RTSPSession(
            newcomer: newcomer, server: connection, exchange: exchange, transport: destination.transport,
            watchesFormat: destination.watchesFormat, timeout: destination.timeout, batchTime: destination.batchTime,
            clock: destination.clock)
        session.received = destination.received
        let end = session.run(&clients, stop: stop.descriptor, started: destination.flows)
        if session.hasSeenDigest { destination.digest.set() }
        destination.ended(.session(end, wasFlowing: session.isFlowing))
        session.close()
        connection.finish(within: .seconds(1))
    }
}

/// Waits for a client that is admitted; nil once the gateway is stopped.
private func nextNewcomer(_ clients: inout GatewayClients, _ stop: FileHandle) -> GatewayClients.Newcomer? {
    while true {
        if let newcomer = clients.takeNewcomer() { return newcomer }
        var ready = [pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0)] + clients.waiting
        retrying { poll(&ready, nfds_t(ready.count), clients.wake.map { Int32(clamping: $0.millisecondsLeft) } ?? -1) }
        if ready[0].revents != 0 { return nil }
        clients.serve()
    }
}
