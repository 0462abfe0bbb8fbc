import SnapshotBase
import SnapshotMedia

/// An output that writes into a folder. Only the folder's thread accesses it, and the relay continues without an output
/// whose disk is full, away or hanging.
final class FolderOutput<Files: OutputFiles>: OpenOutput {
    typealias Upkeep = FolderUpkeep<Files>

    private let health: OutputHealth
    private let slave: (StreamFacts, Folder, Timestamp) -> FFmpegSlave
    private let thread: FolderThread<Files>
    /// How long a step may take before the folder counts as hanging; a slow SD card may take long to sync.
    private let timeout: Duration
    private var folder: Folder?
    private var lastReported: FolderTrouble?
    private var asked = Uptime.now()
    private var run = Timestamp.now()
    /// Whether ffmpeg runs without this output, which works again only once ffmpeg is restarted.
    private var isLeftOut = false

    /// How long the relay waits for the folder at its start and at its end.
    private static var grace: Duration { .seconds(3) }
    /// How often the folder is checked while no media flows.
    private static var pause: Duration { .seconds(5) }

    /// - Parameter slave: makes ffmpeg's slave for a run; the time identifies the run.
    /// - Throws: where the folder can't be written, e.g. for lack of rights.
    init(
        _ upkeep: Upkeep, timeout: Duration, _ health: OutputHealth,
        slave: @escaping (StreamFacts, Folder, Timestamp) -> FFmpegSlave
    ) throws(Failure) {
        (self.timeout, self.health, self.slave) = (timeout, health, slave)
        thread = FolderThread(upkeep)
        thread.ask(.look(flows: false, origin: nil))
        thread.finish(within: Self.grace)
        if thread.busySince != nil { fail(.hangs) }
        for report in thread.reports() {
            if let fault = report.fault, fault.trouble == .denied, let failure = fault.failure { throw failure }
            _ = note(report)
        }
    }

    var isFull: Bool { lastReported == .full }

    func begin(_ facts: StreamFacts) -> FFmpegSlave? {
        isLeftOut = folder == nil || thread.owesEnd
        guard let folder, !isLeftOut else { return nil }
        // The clock may have been set back, and the identifiers of runs must still be unique.
        run = max(.now(), run.advanced(byMilliseconds: 1))
        thread.ask(.begin(run, folder))
        return slave(facts, folder, run)
    }

    func flowed(now: Uptime, media: Duration?) -> Bool {
        look(flows: true, media.map { Timestamp.now().advanced(byMilliseconds: -Int64($0.milliseconds)) }, now)
    }

    func ended(now: Uptime) {
        thread.ask(.end)
        // Wait for the files to be finished, usually at once, so that the next ffmpeg can have the folder.
        if lastReported != .hangs { thread.finish(within: .seconds(1)) }
        _ = take(now)
        isLeftOut = false
    }

    var wake: Uptime? { asked + Self.pause }
    func tick(now: Uptime) { _ = look(flows: false, nil, now) }

    func stop() { if lastReported != .hangs { thread.finish(within: Self.grace) } }

    private func look(flows: Bool, _ origin: Timestamp?, _ now: Uptime) -> Bool {
        asked = now
        thread.ask(.look(flows: flows, origin: origin))
        return take(now)
    }

    private func take(_ now: Uptime) -> Bool {
        let needsAnew = thread.reports().reduce(false) { needsAnew, report in note(report) || needsAnew }
        if let since = thread.busySince, now - since > timeout { fail(.hangs) }
        return needsAnew
    }

    private func note(_ report: Upkeep.Report) -> Bool {
        folder = report.folder
        switch report.verdict {
        case .trouble(let trouble): fail(trouble, report.fault?.words)
        case .fine where isLeftOut: break
        case .fine:
            // Don't clear a trouble that other parts have reported for this output.
            if lastReported != nil { health.works() }
            lastReported = nil
        case .restart:
            // A trouble that was reported before explains more.
            if lastReported == nil { fail(.stuck) }
            return true
        case nil: break
        }
        return false
    }

    private func fail(_ trouble: FolderTrouble, _ words: String? = nil) {
        lastReported = trouble
        if trouble == .hangs { folder = nil }
        health.fails(trouble, words)
    }
}
