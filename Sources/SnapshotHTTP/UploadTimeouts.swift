import SnapshotBase

/// Time limits of an upload. An upload that makes progress, however slowly, is aborted only after `whole`.
package struct UploadTimeouts: Sendable {
    /// How long the server may accept no byte.
    package var stall = Duration.seconds(20)
    /// How long the response may take after the whole body was sent.
    package var response = Duration.seconds(60)
    /// How long the upload may take in total.
    package var whole = Duration.seconds(900)
    /// UPLOAD_DEADLINE, if it is set. A wait for the response that begins before the request's deadline ends at that
    /// deadline; one that begins after it lasts for UPLOAD_DEADLINE. No wait is longer than `response`.
    package var uploadDeadline: Duration?

    package init() {}
}

/// Applies `UploadTimeouts` to a running upload.
struct UploadWatch {
    private let timeouts: UploadTimeouts
    private let deadline: Deadline
    private let begin: Uptime
    private var moved: Uptime
    /// The total delay by UPLOAD_RATE when the last byte moved.
    private var heldUp = Duration.zero
    private var bytes = (sent: 0, received: 0)
    /// When waiting for the response ends, and its limit; nil while the body is being sent.
    private var responseWait: (end: Uptime, limit: Duration)?

    init(_ timeouts: UploadTimeouts, deadline: Deadline, now: Uptime) {
        self.timeouts = timeouts
        self.deadline = deadline
        (begin, moved) = (now, now)
    }

    /// Why the upload is given up; nil if it continues. `whole` is the length of the body in bytes, 0 if it is not
    /// known yet; `waited` is how long UPLOAD_RATE has delayed transfers so far, which does not count as a stall.
    mutating func failure(
        sent: Int, of whole: Int, received: Int, now: Uptime, waited: Duration = .zero
    ) -> HTTPFailure? {
        if (sent, received) != bytes { (bytes, moved, heldUp) = ((sent, received), now, waited) }
        // The wait also begins when a server responds before it has the whole body; the body's end doesn't restart it.
        let isResponding = whole > 0 && sent >= whole || received > 0
        if !isResponding { responseWait = nil } else if responseWait == nil { responseWait = wait(from: now) }
        if let responseWait {
            guard now >= responseWait.end else { return nil }
            var failure = Self.failure(
                "no whole answer in time (at most \(Self.text(responseWait.limit)) after the picture)", now - moved)
            failure.bodyWasSent = whole > 0 && sent >= whole
            return failure
        }
        let stalled = now - moved - (waited - heldUp)
        if stalled >= timeouts.stall {
            return Self.failure("it took no byte for UPLOAD_STALL (\(Self.text(timeouts.stall)))", stalled)
        }
        guard now - begin >= timeouts.whole else { return nil }
        return Self.failure("the upload wasn't finished after \(Self.text(timeouts.whole))", .zero)
    }

    private func wait(from now: Uptime) -> (end: Uptime, limit: Duration) {
        guard let uploadDeadline = timeouts.uploadDeadline else { return (now + timeouts.response, timeouts.response) }
        let wait = min(timeouts.response, now < deadline.end ? deadline.end - now : uploadDeadline)
        return (now + wait, min(timeouts.response, uploadDeadline))
    }

    private static func text(_ time: Duration) -> String {
        time < .seconds(1) ? "\(time.milliseconds) ms" : "\(Int(bounded: time.seconds)) s"
    }

    private static func failure(_ why: String, _ stalledFor: Duration) -> HTTPFailure {
        HTTPFailure(kind: .timedOut, why: why, stalledFor: stalledFor)
    }
}
