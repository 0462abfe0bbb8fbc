import Glibc
import SnapshotBase
import SnapshotCore

/// The near end of the RTSP push. ffmpeg pushes to a port on loopback, and what it says is handed on from here, because
/// its arguments are for everybody to see and would hold the login, and because its RTSP muxer waits for ever for a
/// server that has fallen silent.
///
/// One push at a time, in a thread of its own; ffmpeg comes again a second after each failure.
final class PushGateway: Sendable {
    private let destination: PushDestination
    private let troubles: OutputTroubles
    private let listener: FileHandle
    private let port: UInt16

    /// How long the server may leave a request unanswered, and what it was sent untaken.
    static let patience: Duration = .seconds(10)
    private static let path = "/push"

    /// What ffmpeg gets as its destination.
    var localURL: String { "rtsp://127.0.0.1:\(port)\(Self.path)" }

    init(_ destination: PushDestination, troubles: OutputTroubles) throws(Failure) {
        self.destination = destination
        self.troubles = troubles
        do throws(SystemError) {
            (listener, port) = try listenOnLoopback()
        } catch {
            throw Failure(.state, code: "push", "cannot listen on loopback", why: "\(error)")
        }
    }

    /// Serves until the program ends.
    func start() {
        _ = detach { [self] in
            var latch = Latch()
            while true {
                let descriptor = retrying { accept(listener.descriptor, nil, nil) }
                guard descriptor >= 0 else {
                    usleep(100_000)
                    continue
                }
                let client = FileHandle(owning: descriptor)
                guard !latch.holds, isOwn(client) else { continue }
                latch.note(serve(client))
            }
        }
    }

    /// Credentials that were refused, and requests that were, are not repeated every second.
    private struct Latch {
        private var until: Uptime?
        private var backoff = Backoff.latch

        var holds: Bool { until.map { Uptime.now() < $0 } ?? false }

        mutating func note(_ end: PushSession.End) {
            switch end {
            case .refused: until = .now() + backoff.next()
            case .rejected: until = .now() + .seconds(10)
            case .lost(let wasFlowing): if wasFlowing { backoff.reset() }
            }
        }
    }

    private func serve(_ client: FileHandle) -> PushSession.End {
        guard let server = connect(to: destination.host, port: destination.port, patience: Self.patience) else {
            troubles.set(.republish, "push-unreachable")
            return .lost(wasFlowing: false)
        }
        limitWaiting(client.descriptor, Self.patience)
        var session = PushSession(
            client: client, server: server, destination: destination, localURL: localURL, troubles: troubles)
        return session.run()
    }

    /// Whether the other end is a process of this user: nobody else may push with our login. Where the kernel's list
    /// can't be read, loopback has to do.
    private func isOwn(_ client: FileHandle) -> Bool {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let got = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(client.descriptor, $0, &length) }
        }
        guard got == 0, let table = try? readFile("/proc/net/tcp", limit: 8 << 20) else { return true }
        let theirs = [UInt16(bigEndian: address.sin_port), port].map(hexadecimalPort)
        for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 7, fields[1].hasSuffix(theirs[0]), fields[2].hasSuffix(theirs[1]) else { continue }
            return fields[7] == "\(geteuid())"
        }
        return true
    }

    private func hexadecimalPort(_ port: UInt16) -> String {
        let digits = String(port, radix: 16, uppercase: true)
        return ":" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}
