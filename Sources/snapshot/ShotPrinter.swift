import FoundationEssentials
import SnapshotBase
import SnapshotCore
import SnapshotState

/// Tells how a shot went: one line on standard output, failures on standard error, or one JSON object.
struct ShotPrinter {
    let log: Log
    let json: Bool

    func print(_ shot: Shot?) {
        guard let shot else {
            log.write(.notice, "another run holds the lock; nothing to do")
            if json { write(ShotJSON(result: "locked", exit: 0)) }
            return
        }
        // The journal of a camera that stays away for a week needs its error once an hour, not at every shot.
        let isJournal = goesToJournal(2)
        for failure in [shot.failure, shot.stateFailure] where !isJournal || shot.isNews {
            if let failure { log.report(failure) }
        }
        if isJournal, shot.recoveredAfter > 0 {
            // At the level of the failures that it ends: the unit lets nothing else into the journal.
            log.write(.error, "good again after \(shot.recoveredAfter) failed runs")
        }
        if json {
            write(ShotJSON(shot))
        } else if shot.outcome.result == .stored, !goesToJournal(1) {
            SnapshotBase.print(descriptor: 1, line(shot.outcome) + "\n")
        } else if shot.outcome.result == .spooled, !isJournal {
            log.write(.notice, "the picture is kept in the spool")
        }
    }

    func print(_ failure: Failure) {
        log.report(failure)
        if json {
            var object = ShotJSON(result: "none", exit: failure.exitCode)
            object.error = "\(failure)"
            object.code = failure.code
            write(object)
        }
    }

    private func line(_ outcome: Outcome) -> String {
        let seconds = { (milliseconds: Int?) in
            let tenths = ((milliseconds ?? 0) + 50) / 100
            return "\(tenths / 10).\(tenths % 10) s"
        }
        let drained = outcome.drained.map { ", \($0) more from the spool" } ?? ""
        return
            "stored \(outcome.key?.printable(limit: 1024) ?? "") (\(outcome.width ?? 0)×\(outcome.height ?? 0), "
            + "\((outcome.bytes ?? 0) / 1024) KiB, camera \(seconds(outcome.cameraMilliseconds)), "
            + "store \(seconds(outcome.storeMilliseconds))\(drained))"
    }

    private func write(_ object: ShotJSON) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(object) else { return }
        SnapshotBase.print(descriptor: 1, String(decoding: data, as: UTF8.self) + "\n")
    }
}

/// The outcome as scripts get it.
private struct ShotJSON: Encodable {
    var result: String
    var exit: Int32
    var error: String?
    var hint: String?
    var code: String?
    var key: String?
    var bytes: Int?
    var width: Int?
    var height: Int?
    var sha256: String?
    var capturedAt: String?
    var attempts: Int?
    var drained: Int?
    var cameraMilliseconds: Int?
    var storeMilliseconds: Int?

    init(result: String, exit: Int32) {
        self.result = result
        self.exit = exit
    }

    init(_ shot: Shot) {
        self.init(result: shot.outcome.result.rawValue, exit: shot.exitCode)
        let failure = shot.stateFailure ?? shot.failure
        error = failure.map { "\($0)" }
        hint = failure?.hint
        code = failure?.code
        key = shot.outcome.key
        bytes = shot.outcome.bytes
        width = shot.outcome.width
        height = shot.outcome.height
        sha256 = shot.sha256
        capturedAt = shot.capturedAt
        attempts = shot.outcome.attempts
        drained = shot.outcome.drained
        cameraMilliseconds = shot.outcome.cameraMilliseconds
        storeMilliseconds = shot.outcome.storeMilliseconds
    }

    private enum CodingKeys: String, CodingKey {
        case result, exit, error, hint, code, key, bytes, width, height, sha256, attempts, drained
        case capturedAt = "captured_at"
        case cameraMilliseconds = "camera_ms"
        case storeMilliseconds = "store_ms"
    }
}
