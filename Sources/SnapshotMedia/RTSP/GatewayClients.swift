import Glibc
import SnapshotBase

/// The gateway's listener on loopback, to which any process on this machine can connect, and the connections that have
/// no session yet. A client that isn't admitted gets `404 Not Found`. A client that sends no request is disconnected
/// after a timeout, and delays no other.
package struct GatewayClients {
    /// An admitted client that has no session yet, and the bytes that it has sent so far.
    package struct Newcomer {
        package let connection: PlainConnection
        package let received: [UInt8]
    }

    /// A connection that hasn't sent its first request yet.
    private struct Candidate {
        let socket: FileHandle
        var received: [UInt8] = []
        let deadline: Deadline
    }

    private let listener: FileHandle
    private let admits: (FileHandle, RTSPMessage) -> Bool
    private var candidates: [Candidate] = []
    private var newcomer: Newcomer?

    private static let mostCandidates = 16
    private static let requestTimeout = Duration.seconds(2)
    private static let longestHead = 4096

    /// How long the admitted client may leave sent data unacknowledged. If ffmpeg hangs, the process that started it
    /// notices earlier.
    private static let timeout = Duration.seconds(60)

    /// - Parameters:
    ///   - listener: a non-blocking listening socket.
    ///   - admits: whether the client with this socket and this first request is admitted.
    package init(listener: FileHandle, admits: @escaping (FileHandle, RTSPMessage) -> Bool) {
        self.listener = listener
        self.admits = admits
    }

    /// The descriptors to poll: the listener and the candidates.
    var waiting: [pollfd] {
        ([listener] + candidates.map(\.socket)).map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    }

    /// When the oldest candidate's time ends; nil where there is none.
    var wake: Deadline? { candidates.first?.deadline }

    /// The client that was admitted since the last call; nil where there is none.
    package mutating func takeNewcomer() -> Newcomer? {
        defer { newcomer = nil }
        return newcomer
    }

    /// Accepts connections and reads first requests, without waiting.
    package mutating func serve() {
        accept()
        for index in candidates.indices.reversed() {
            guard let verdict = readRequest(&candidates[index]) else { continue }
            let candidate = candidates.remove(at: index)
            switch verdict {
            case .admitted:
                newcomer = Newcomer(
                    connection: PlainConnection(candidate.socket, timeout: Self.timeout),
                    received: candidate.received)
            case .refused(let response):
                _ = response.withUnsafeBytes {
                    send(candidate.socket.descriptor, $0.baseAddress, $0.count, Self.withoutWaiting)
                }
            case .gone: break
            }
        }
    }

    private static let withoutWaiting = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)

    private mutating func accept() {
        for _ in 0..<Self.mostCandidates {
            let descriptor = retrying { Glibc.accept(listener.descriptor, nil, nil) }
            guard descriptor >= 0 else {
                // With no free descriptor (EMFILE) the listener stays readable: pause instead of spinning.
                if errno != EAGAIN { usleep(100_000) }
                return
            }
            if candidates.count == Self.mostCandidates { candidates.removeFirst() }
            candidates.append(Candidate(socket: FileHandle(owning: descriptor), deadline: .after(Self.requestTimeout)))
            if candidates.count == Self.mostCandidates { return }
        }
    }

    private enum Verdict {
        case admitted
        case refused([UInt8])
        case gone
    }

    /// Reads the candidate's first request; nil while that isn't complete.
    private func readRequest(_ candidate: inout Candidate) -> Verdict? {
        var piece = [UInt8](repeating: 0, count: Self.longestHead)
        let count = retrying { recv(candidate.socket.descriptor, &piece, piece.count, Self.withoutWaiting) }
        if count == 0 || count < 0 && errno != EAGAIN { return .gone }
        candidate.received += piece.prefix(max(0, count))
        var reader = RTSPReader()
        reader.append(candidate.received)
        let notFound = RTSPMessage(startLine: "RTSP/1.0 404 Not Found").bytes
        do throws(RTSPMalformed) {
            switch try reader.next() {
            case .message(let request)? where request.method != nil:
                if admits(candidate.socket, request) { return .admitted }
                return .refused(RTSPMessage.response("404 Not Found", to: request).bytes)
            case nil: break
            case .message, .packets: return .refused(notFound)
            }
        } catch { return .refused(notFound) }
        return candidate.deadline.hasPassed || candidate.received.count >= Self.longestHead ? .refused(notFound) : nil
    }
}
