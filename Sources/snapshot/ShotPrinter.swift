import SnapshotBase
import SnapshotCapture
import SnapshotState

/// Prints the result of a capture: failures on standard error, one line or JSON object on standard output.
struct ShotPrinter {
    let log: Log
    let json: Bool
    /// Whether standard output goes to systemd's journal.
    let outputIsJournal: Bool

    /// - Parameters:
    ///   - shot: nil where another run holds the lock.
    ///   - settings: of the capture.
    func print(_ shot: Shot?, _ settings: CaptureSettings) {
        guard let shot else {
            log.write(.notice, "another run holds the lock; nothing to do")
            if json { write(["result": "locked", "exit": 0]) }
            return
        }
        // A journal gets the same error of captures once an hour only, as long as the state can be written.
        let isJournal = log.isJournal
        for failure in [shot.failure, shot.stateFailure] where !isJournal || shot.isNews {
            if let failure { log.report(failure) }
        }
        if isJournal, shot.recoveredAfter > 0 {
            // This line has the level of the errors before it, since the unit passes nothing lower to the journal.
            log.write(.error, "good again after \(counted(shot.recoveredAfter, "failed run"))")
        }
        if json {
            write(object(shot, settings))
        } else if shot.outcome.result == .stored, !outputIsJournal {
            writeText(to: 1, "\(line(shot.outcome, settings))\n")
        } else if shot.outcome.result == .spooled, !isJournal {
            log.write(.notice, "the picture is kept in the spool")
        }
    }

    func print(_ failure: Failure, isNews: Bool = true) {
        if isNews || !log.isJournal { log.report(failure) }
        if json {
            write([
                "result": "none", "exit": Int(failure.exitCode), "error": "\(failure)",
                "hint": failure.hint, "code": failure.code,
            ])
        }
    }

    private func line(_ outcome: Outcome, _ settings: CaptureSettings) -> String {
        let time = { (milliseconds: Int?) in latency(Double(milliseconds ?? 0)) }
        let drained = outcome.drained.map { ", \($0) more from the spool" } ?? ""
        return
            "stored \(settings.storeKind.location(of: outcome.key ?? "")) (\(outcome.width ?? 0)×\(outcome.height ?? 0), "
            + "\(sizeText(outcome.bytes ?? 0)), camera \(time(outcome.cameraMilliseconds)), "
            + "store \(time(outcome.storeMilliseconds))\(drained))"
    }

    private func write(_ object: JSONObject) {
        writeText(to: 1, "\(object.json)\n")
    }

    /// The result for scripts.
    private func object(_ shot: Shot, _ settings: CaptureSettings) -> JSONObject {
        let failure = shot.stateFailure ?? shot.failure
        return [
            "result": shot.outcome.result,
            "exit": Int(shot.exitCode),
            "error": failure.map { "\($0)" },
            "hint": failure?.hint,
            "code": failure?.code,
            "camera": settings.camera.name,
            "key": shot.outcome.key,
            "url": shot.outcome.result == .stored ? shot.outcome.key.map(settings.storeKind.location) : nil,
            "captured_at": shot.capturedAt,
            "bytes": shot.outcome.bytes,
            "width": shot.outcome.width,
            "height": shot.outcome.height,
            "sha256": shot.sha256,
            "attempts": shot.outcome.attempts,
            "drained": shot.outcome.drained,
            "sent_bytes": shot.outcome.sent,
            "received_bytes": shot.outcome.received,
            "camera_ms": shot.outcome.cameraMilliseconds,
            "store_ms": shot.outcome.storeMilliseconds,
        ]
    }
}
