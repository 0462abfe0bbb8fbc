import Glibc
import SnapshotBase

/// Where ffmpeg comes in: a free port of loopback, at which anybody on this machine may knock. Whoever isn't let in gets
/// `404 Not Found` and changes nothing; whoever says nothing is sent away, and holds up nobody meanwhile.
package struct Door {
    /// One that was let in, and what it has said so far.
    package struct Guest {
        package let line: PlainLine
        package let said: [UInt8]
    }

    private struct Knock {
        let socket: FileHandle
        var said: [UInt8] = []
        let deadline: Deadline
    }

    private let listener: FileHandle
    private let admits: (FileHandle, RTSPMessage) -> Bool
    private var knocks: [Knock] = []
    private var guest: Guest?

    private static let mostKnocks = 16
    private static let timeToSpeak = Duration.seconds(2)
    private static let longestHead = 4096

    /// How long a guest may leave untaken what it is sent: ffmpeg is watched by whoever has started it.
    private static let patience = Duration.seconds(60)

    /// - Parameter admits: whether one whose first request that is may come in.
    package init(listener: FileHandle, admits: @escaping (FileHandle, RTSPMessage) -> Bool) {
        self.listener = listener
        self.admits = admits
    }

    /// The descriptors to wait for.
    var waiting: [pollfd] {
        ([listener] + knocks.map(\.socket)).map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    }

    /// When the next one has to be sent away; nil where nobody knocks.
    var wake: Deadline? { knocks.first?.deadline }

    /// The last one that was let in, once.
    package mutating func takeGuest() -> Guest? {
        defer { guest = nil }
        return guest
    }

    /// Does what can be done without waiting.
    package mutating func turn() {
        accept()
        for index in knocks.indices.reversed() {
            guard let verdict = hear(&knocks[index]) else { continue }
            let knock = knocks.remove(at: index)
            switch verdict {
            case .admitted: guest = Guest(line: PlainLine(knock.socket, patience: Self.patience), said: knock.said)
            case .refused(let answer):
                _ = answer.withUnsafeBytes { send(knock.socket.descriptor, $0.baseAddress, $0.count, Self.atOnce) }
            case .gone: break
            }
        }
    }

    private static let atOnce = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)

    private mutating func accept() {
        for _ in 0..<Self.mostKnocks {
            let descriptor = retrying { Glibc.accept(listener.descriptor, nil, nil) }
            guard descriptor >= 0 else {
                // Without a free descriptor the listener stays readable: no hurry then.
                if errno != EAGAIN { usleep(100_000) }
                return
            }
            if knocks.count == Self.mostKnocks { knocks.removeFirst() }
            knocks.append(Knock(socket: FileHandle(owning: descriptor), deadline: .after(Self.timeToSpeak)))
            if knocks.count == Self.mostKnocks { return }
        }
    }

    private enum Verdict {
        case admitted
        case refused([UInt8])
        case gone
    }

    /// nil while it hasn't said enough.
    private func hear(_ knock: inout Knock) -> Verdict? {
        var piece = [UInt8](repeating: 0, count: Self.longestHead)
        let count = retrying { recv(knock.socket.descriptor, &piece, piece.count, Self.atOnce) }
        if count == 0 || count < 0 && errno != EAGAIN { return .gone }
        knock.said += piece.prefix(max(0, count))
        var reader = RTSPReader()
        reader.append(knock.said)
        let nobody = RTSPMessage(startLine: "RTSP/1.0 404 Not Found").bytes
        do throws(RTSPMalformed) {
            switch try reader.next() {
            case .message(let request)? where request.method != nil:
                if admits(knock.socket, request) { return .admitted }
                return .refused(RTSPMessage.answer("404 Not Found", to: request).bytes)
            case nil: break
            case .message, .packets: return .refused(nobody)
            }
        } catch { return .refused(nobody) }
        return knock.deadline.hasPassed || knock.said.count >= Self.longestHead ? .refused(nobody) : nil
    }
}
