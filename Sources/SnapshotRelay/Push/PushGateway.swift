import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotMedia
import SnapshotState
import Synchronization

/// Forwards ffmpeg's RTSP push from a port on loopback to the server. Without it the login would stand in ffmpeg's
/// arguments, which every user can read, and ffmpeg would wait for ever for a server that stops responding. Users can
/// read the gateway's URL in the arguments, too, so only sockets of ffmpeg's process group are admitted.
final class PushGateway: OpenOutput, Sendable {
    private let gateway: Gateway
    private let admitted: AdmittedGroup

    /// How long the server may leave a request unanswered, or sent data unacknowledged.
    private static let timeout: Duration = .seconds(10)

    init(_ push: PushOutput, _ reporter: OutputReporter) throws(Failure) {
        let server = RTSPServer(
            url: push.url, user: push.user.isEmpty ? nil : push.user, password: push.password, mayUseBasic: true)
        let pause = SessionPause()
        let admitted = AdmittedGroup()
        var destination = Gateway.Destination(
            server: server, timeout: Self.timeout, batchTime: .milliseconds(50), clock: push.clock,
            connect: { () throws(Failure) in try push.connect(timeout: Self.timeout) },
            ended: { ending in
                if let trouble = pause.note(ending) { reporter.fails(trouble) }
            })
        destination.mayBegin = { !pause.lasts }
        destination.flows = { reporter.works() }
        gateway = try Gateway(path: "push", to: destination) { client in admitted.hasOpen(client) }
        self.admitted = admitted
    }

    func begin(_ facts: StreamFacts) -> FFmpegSlave? { PushOutput.slave(to: gateway.localURL) }

    /// Admits the clients of this process group from now on.
    func started(_ ffmpeg: pid_t?) { admitted.group.withLock { $0 = ffmpeg } }

    private final class AdmittedGroup: Sendable {
        let group = Mutex<pid_t?>(nil)

        func hasOpen(_ client: FileHandle) -> Bool {
            group.withLock { $0 }.map { Peer(of: client)?.belongs(toGroup: $0) ?? false } ?? false
        }
    }
}

extension PushOutput {
    fileprivate func connect(timeout: Duration) throws(Failure) -> any RTSPConnection {
        do throws(HTTPFailure) {
            let socket = try SnapshotMedia.connect(to: host, port: port, timeout: timeout, deadline: .after(timeout))
            return PlainConnection(socket, timeout: timeout)
        } catch {
            throw Failure(.relay(.pushUnreachable), "cannot reach", host, why: error.why)
        }
    }
}

/// The pause before the next session after the server refused the login or the stream. ffmpeg retries every second, and
/// so many logins could lock an account.
private final class SessionPause: Sendable {
    private struct State {
        var until: Deadline?
        var backoff = Backoff.holdOff
    }

    private let state = Mutex(State())

    var lasts: Bool { state.withLock { $0.until.map { !$0.hasPassed } ?? false } }

    /// - Returns: the trouble to report; nil where there is none.
    func note(_ ending: Gateway.Ending) -> PushTrouble? {
        switch ending {
        case .unconnected: return .unreachable
        case .session(.refused, _), .session(.insecure, _):
            state.withLock { $0.until = .after($0.backoff.next()) }
            return .refused
        case .session(.rejected, _), .session(.redirected, _):
            state.withLock { $0.until = .after(.seconds(10)) }
            return .rejected
        case .session(.stopped, _): return nil
        case .session(_, let wasFlowing):
            if wasFlowing { state.withLock { $0.backoff.reset() } }
            return .lost
        }
    }
}
