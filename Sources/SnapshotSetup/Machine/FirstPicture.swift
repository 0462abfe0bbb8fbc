import Glibc
import SnapshotBase
import SnapshotCapture
import SnapshotCheck
import SnapshotProcesses
import SnapshotSettings
import SnapshotState

/// The first picture with the new settings, taken by the timer's service or by `snapshot capture`.
struct FirstPicture {
    let draft: Draft
    let settings: CaptureSettings
    let systemd: Systemd

    /// If the interval is longer than this, setup starts the service at once and doesn't wait for the timer.
    private static let soon = Duration.seconds(15)

    /// The sequence number of the state's last record; only a later one can be of the first picture.
    func sequence() -> UInt64 {
        if case .record(let record) = StateRing(reading: settings.statePath).content { record.seq } else { 0 }
    }

    /// Waits for the first picture of the timer's service, and starts that service itself if the interval is long.
    /// - Returns: where it is stored.
    func fromTimer(after sequence: UInt64) throws(Failure) -> String {
        let unit = draft.target.unit
        if settings.interval > Self.soon { try systemd.run("start", "--no-block", "\(unit).service") }
        let deadline = Deadline.after(
            .seconds(10) + settings.camera.timeout + settings.uploadDeadline + min(settings.interval, Self.soon))
        var last: Record?
        while !deadline.hasPassed, !draft.context.stop.isMade {
            sleep(.milliseconds(100), until: deadline)
            guard case .record(let record) = StateRing(reading: settings.statePath).content, record.seq > sequence,
                ![.none, .skipped].contains(record.outcome.result)
            else { continue }
            if record.outcome.result == .stored { return settings.storeKind.location(of: record.outcome.key ?? "") }
            // The first record may be of a run that the change of files disturbed: wait for a second one.
            if let last, last.seq != record.seq { break }
            last = last ?? record
            if settings.interval > Self.soon { break }
        }
        let code = last?.outcome.code ?? .own(.state)
        throw Failure(
            code, "no picture was stored",
            why: last == nil ? "\(unit).service has recorded nothing" : code.meaning,
            hint:
                "\(last == nil ? "" : code.remedy.replacing("`", with: "") + " ")The settings are written, and the timer runs: "
                + "snapshot check\(draft.target.option)   # or: journalctl -u \(unit)"
        )
    }

    /// Takes a picture by `snapshot capture`, as cron does.
    /// - Returns: where it is stored.
    func byHand() throws(Failure) -> String {
        let path = draft.target.settingsPath
        let command = Command(
            Program.path, ["capture", "--json", "--config", path], environment: draft.context.environment)
        let result = try Child.run(
            command, outputLimit: 65536,
            deadline: .after(.seconds(10) + settings.camera.timeout + settings.uploadDeadline))
        let shot = JSON(result.output)
        if shot?["result"]?.string == "stored" { return settings.storeKind.location(of: shot?["key"]?.string ?? "") }
        let code = shot?["code"].flatMap(Failure.Code.init(json:)) ?? .own(.state)
        throw Failure(
            code, "no picture was stored", why: shot?["error"]?.string ?? "\(ForeignText(result.stderrTail))",
            hint: (shot?["hint"]?.string.map { $0 + "; " } ?? "")
                + "the settings are written; snapshot check\(draft.target.option)")
    }
}

enum Program {
    /// The path of this program.
    static var path: String {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &text, text.count)
        return length > 0 ? String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) : "snapshot"
    }
}
