import Glibc
import SnapshotBase

/// Where ffmpeg comes in: a free port of loopback, at which anybody on this machine may candidate. Whoever isn't let in gets
/// `404 Not Found` and changes nothing; whoever says nothing is sent away, and holds up nobody meanwhile.
package struct GatewayClients {
    /// One that was let in, and what it has said so far.
    package struct Newcomer {
        package let line: PlainLine
        package let said: [UInt8]
    }

    private struct Candidate {
        let socket: FileHandle
        var said: [UInt8] = []
        let deadline: Deadline
    }

    private let listener: FileHandle
    private let admits: (FileHandle, RTSPMessage) -> Bool
    private var candidates: [Candidate] = []
    private var newcomer: Newcomer?

    private static let mostCandidates = 16
    private static let timeToSpeak = Duration.seconds(2)
    private static let longestHead = 4096

    /// How long a newcomer may leave untaken what it is sent: ffmpeg is watched by whoever has started it.
    private static let timeout = Duration.seconds(60)

    /// - Parameter admits: whether one whose first request that is may come in.
    package init(listener: FileHandle, admits: @escaping (FileHandle, RTSPMessage) -> Bool) {
        self.listener = listener
        self.admits = admits
    }

    /// The descriptors to wait for.
    var waiting: [pollfd] {
        ([listener] + candidates.map(\.socket)).map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    }

    /// When the next one has to be sent away; nil where nobody candidates.
    var wake: Deadline? { candidates.first?.deadline }

    /// The last one that was let in, once.
    package mutating func takeNewcomer() -> Newcomer? {
        defer { newcomer = nil }
        return newcomer
    }

    /// Does what can be done without waiting.
    package mutating func turn() {
        accept()
        for index in candidates.indices.reversed() {
            guard let verdict = hear(&candidates[index]) else { continue }
            let candidate = candidates.remove(at: index)
            switch verdict {
            case .admitted:
                newcomer = Newcomer(line: PlainLine(candidate.socket, timeout: Self.timeout), said: candidate.said)
            case .refused(let answer):
                _ = answer.withUnsafeBytes { send(candidate.socket.descriptor, $0.baseAddress, $0.count, Self.atOnce) }
            case .gone: break
            }
        }
    }

    private static let atOnce = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)

    private mutating func accept() {
        for _ in 0..<Self.mostCandidates {
            let descriptor = retrying { Glibc.accept(listener.descriptor, nil, nil) }
            guard descriptor >= 0 else {
                // Without a free descriptor the listener stays readable: no hurry then.
                if errno != EAGAIN { usleep(100_000) }
                return
            }
            if candidates.count == Self.mostCandidates { candidates.removeFirst() }
            candidates.append(Candidate(socket: FileHandle(owning: descriptor), deadline: .after(Self.timeToSpeak)))
            if candidates.count == Self.mostCandidates { return }
        }
    }

    private enum Verdict {
        case admitted
        case refused([UInt8])
        case gone
    }

    /// nil while it hasn't said enough.
    private func hear(_ candidate: inout Candidate) -> Verdict? {
        var piece = [UInt8](repeating: 0, count: Self.longestHead)
        let count = retrying { recv(candidate.socket.descriptor, &piece, piece.count, Self.atOnce) }
        if count == 0 || count < 0 && errno != EAGAIN { return .gone }
        candidate.said += piece.prefix(max(0, count))
        var reader = RTSPReader()
        reader.append(candidate.said)
        let nobody = RTSPMessage(startLine: "RTSP/1.0 404 Not Found").bytes
        do throws(RTSPMalformed) {
            switch try reader.next() {
            case .message(let request)? where request.method != nil:
                if admits(candidate.socket, request) { return .admitted }
                return .refused(RTSPMessage.answer("404 Not Found", to: request).bytes)
            case nil: break
            case .message, .packets: return .refused(nobody)
            }
        } catch { return .refused(nobody) }
        return candidate.deadline.hasPassed || candidate.said.count >= Self.longestHead ? .refused(nobody) : nil
    }
}
