import CLinux
import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotMedia
import Synchronization

/// Sends MPEG-TS to a server in one endless POST, through a pipe of fixed size. When a slow server leaves the pipe
/// full, packets are dropped up to the next key frame.
final class PipeUplink: OpenOutput {
    private let destination: PipeOutput
    private let reporter: OutputReporter
    private var stream = TransportStream()
    private var post: Post?
    /// Bytes for which the pipe had no room; they may begin inside a packet.
    private var waiting: ArraySlice<UInt8> = []
    private var backoff = Backoff.retry
    private var holdOffs = Backoff.holdOff
    private var nextTry: Uptime?
    private var lastGood: Uptime?

    private static let pipeSize: Int32 = 1 << 20

    /// How long to wait for the server's response after the end of the POST's body.
    private static let timeout = Duration.seconds(1)

    init(_ destination: PipeOutput, _ reporter: OutputReporter) {
        self.destination = destination
        self.reporter = reporter
    }

    func begin(_ facts: StreamFacts) -> FFmpegSlave? { PipeOutput.slave }

    func receive(_ bytes: ArraySlice<UInt8>, now: Uptime) {
        if let end = post?.end { handle(end, now: now) }
        let packets = stream.read(bytes)
        guard !packets.isEmpty else { return }
        if post == nil, nextTry.map({ now >= $0 }) ?? true { post = open(now: now) }
        guard let post else { return stream.close() }
        waiting.removeFirst(post.write(waiting))
        if waiting.isEmpty {
            waiting = packets[...]
            waiting.removeFirst(post.write(waiting))
        } else {
            // No room: finish the packets that were begun, and drop the new ones.
            stream.close()
        }
        if now - post.since > .seconds(2) {
            reporter.works()
            lastGood = now
        }
        if now - post.since > .seconds(60) {
            backoff.reset()
            holdOffs.reset()
        }
    }

    /// Ends the POST's body, and waits up to a second for the server's response.
    func ended(now: Uptime) {
        stream = TransportStream()
        guard let post else { return }
        self.post = nil
        _ = post.write(waiting)
        waiting = []
        post.close()
        let deadline = Deadline.after(Self.timeout)
        while post.end == nil, !deadline.hasPassed { usleep(10_000) }
    }

    private func handle(_ end: PipeTrouble, now: Uptime) {
        post = nil
        waiting = []
        stream.close()
        reporter.fails(end)
        let wait = backoff.next(since: lastGood, now: now, stallTimeout: destination.stallTimeout)
        nextTry = now + (end == .refused ? holdOffs.next() : wait * Double.random(in: 0.5...1))
    }

    private func open(now: Uptime) -> Post? {
        var request = HTTPRequest(
            "POST", destination.url, through: destination.proxies, deadline: .after(.seconds(1 << 30)))
        request.headers = [("Content-Type", "video/mp2t")]
        if let token = destination.token { request.headers.append(("Authorization", "Bearer \(token)")) }
        request.credentials = destination.credentials
        request.trust = .authorities(file: destination.authorities)
        request.stallTimeout = destination.stallTimeout
        return Post(request, pipeSize: Self.pipeSize, now: now, destination.context)
    }
}

/// One POST in a thread of its own, whose body comes from a pipe.
private final class Post: Sendable {
    let since: Uptime
    private let writer: Mutex<FileHandle?>
    private let result = Mutex<PipeTrouble?>(nil)

    /// Why the POST ended; nil while it runs.
    var end: PipeTrouble? { result.withLock { $0 } }

    init?(_ request: HTTPRequest, pipeSize: Int32, now: Uptime, _ context: ProcessContext) {
        since = now
        guard let (reader, writer) = try? makePipe() else { return nil }
        // The call fails where the system allows only smaller pipes.
        _ = shim_set_pipe_size(writer.descriptor, pipeSize)
        guard fcntl(writer.descriptor, F_SETFL, O_NONBLOCK) == 0 else { return nil }
        self.writer = Mutex(writer)
        var request = request
        request.body = .pipe(reader)
        let final = request
        let started = detach { [self] in
            let end = Self.perform(final, context)
            result.withLock { $0 = end }
        }
        guard started else { return nil }
    }

    /// Writes to the pipe without waiting.
    /// - Returns: the number of bytes written: fewer where the pipe is full, 0 where the POST has ended.
    func write(_ bytes: ArraySlice<UInt8>) -> Int {
        writer.withLock { writer in
            guard let writer else { return 0 }
            return max(0, bytes.withUnsafeBytes { Glibc.write(writer.descriptor, $0.baseAddress, $0.count) })
        }
    }

    func close() { writer.withLock { $0 = nil } }

    private static func perform(_ request: HTTPRequest, _ context: ProcessContext) -> PipeTrouble {
        do throws(HTTPFailure) {
            let response = try HTTPClient(context).perform(request)
            return response.status == 401 || response.status == 403 ? .refused : .ended
        } catch {
            switch error.kind {
            case .unresolved, .unreachable, .unconnected, .proxy: return .unreachable
            case .tls, .noTLS, .oldTLS, .pinMismatch, .certificate: return .tls
            case .refused: return .refused
            case .timedOut, .cutShort, .tooLarge, .endless, .lost, .invalid, .noLibrary: return .lost
            }
        }
    }
}
