import SnapshotBase

/// How long an upload may take. One that moves isn't cut, however slow the line.
package struct UploadTimeouts: Sendable {
    /// Without a byte taken.
    package var stall = Duration.seconds(20)
    /// From the whole body to the answer.
    package var answer = Duration.seconds(60)
    /// All in all.
    package var whole = Duration.seconds(900)
    /// Whether the waiting for the answer also ends with the request's deadline or, where the body took longer than that,
    /// this long after it.
    package var bound: Duration?

    package init() {}
}

/// An upload under way, as `UploadTimeouts` sees it.
struct UploadWatch {
    private let timeouts: UploadTimeouts
    private let deadline: Deadline
    private let begin: Uptime
    private var moved: Uptime
    /// How long our own rate had held it up by then.
    private var heldUp = Duration.zero
    private var bytes = (sent: 0, received: 0)
    /// When the waiting for the answer ends, and how long it is; nil while the body is on its way.
    private var answer: (end: Uptime, wait: Duration)?

    init(_ timeouts: UploadTimeouts, deadline: Deadline, now: Uptime) {
        self.timeouts = timeouts
        self.deadline = deadline
        (begin, moved) = (now, now)
    }

    /// Why the upload is given up; nil where it goes on.
    /// - Parameters:
    ///   - whole: the length of the body; 0 where there is none yet.
    ///   - waited: how long UPLOAD_RATE has held up transfers so far, which is no standstill.
    mutating func failure(
        sent: Int, of whole: Int, received: Int, now: Uptime, waited: Duration = .zero
    ) -> HTTPFailure? {
        if (sent, received) != bytes { (bytes, moved, heldUp) = ((sent, received), now, waited) }
        // Who answers before the whole body has come gets no more time than others.
        let isAnswering = whole > 0 && sent >= whole || received > 0
        if !isAnswering { answer = nil } else if answer == nil { answer = wait(from: now) }
        if let answer {
            guard now >= answer.end else { return nil }
            var failure = Self.failure("no answer to the whole picture within \(Self.text(answer.wait))", now - moved)
            failure.bodyWasSent = whole > 0 && sent >= whole
            return failure
        }
        let stood = now - moved - (waited - heldUp)
        if stood >= timeouts.stall {
            return Self.failure("not a byte was taken for UPLOAD_STALL (\(Self.text(timeouts.stall)))", stood)
        }
        guard now - begin >= timeouts.whole else { return nil }
        return Self.failure("it was not over after \(Self.text(timeouts.whole))", .zero)
    }

    private func wait(from now: Uptime) -> (end: Uptime, wait: Duration) {
        guard let bound = timeouts.bound else { return (now + timeouts.answer, timeouts.answer) }
        let wait = min(timeouts.answer, now < deadline.end ? deadline.end - now : bound)
        return (now + wait, min(timeouts.answer, bound))
    }

    private static func text(_ time: Duration) -> String {
        time < .seconds(1) ? "\(time.milliseconds) ms" : "\(Int(bounded: time.seconds)) s"
    }

    private static func failure(_ why: String, _ stood: Duration) -> HTTPFailure {
        HTTPFailure(kind: .timedOut, why: why, stoodStill: stood)
    }
}
