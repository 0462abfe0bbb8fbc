import Glibc
import SnapshotBase

/// A push that fails between ANNOUNCE and RECORD makes ffmpeg 5.1 crash at its next try, which ends all outputs. The
/// gateway therefore responds as if the push had begun and then closes the connection, which ffmpeg survives.
extension RTSPSession {
    /// Whether the session ended between ANNOUNCE and RECORD.
    var endedBeforeRecord: Bool {
        exchange.isAnnounced && !isFlowing && end != .clientClosed && end != .stopped
    }

    /// Responds with 200 to ffmpeg's remaining requests, up to RECORD.
    mutating func pretendToRecord(by deadline: Deadline) {
        var next = unanswered
        while !deadline.hasPassed {
            if let request = next {
                do { try client.write(Self.pretendedResponse(to: request).bytes) } catch { return }
                if request.method == "RECORD" { return }
                next = nil
            }
            do {
                guard let item = try fromClient.next() else {
                    var ready = pollfd(fd: client.descriptor, events: Int16(POLLIN), revents: 0)
                    retrying { poll(&ready, 1, Int32(clamping: deadline.millisecondsLeft)) }
                    guard Self.fill(&fromClient, from: client) else { return }
                    continue
                }
                if case .message(let request) = item { next = request }
            } catch { return }
        }
    }

    private static func pretendedResponse(to request: RTSPMessage) -> RTSPMessage {
        var response = RTSPMessage.response("200 OK", to: request)
        response.set("Session", request.values("Session").first ?? "1")
        response.set("Transport", request.values("Transport").first)
        return response
    }
}
