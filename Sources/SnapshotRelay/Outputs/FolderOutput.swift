import SnapshotBase
import SnapshotMedia

/// An output that goes into a folder. Nothing here touches the folder: its thread does, and the relay goes on without an
/// output whose disk is full, away, or hangs.
final class FolderOutput<Files: OutputFiles>: OpenOutput {
    typealias Keeper = FolderKeeper<Files>

    private let health: OutputHealth
    private let slave: (StreamFacts, Folder, Timestamp) -> FFmpegSlave
    private let thread: FolderThread<Files>
    /// How long a step may take before the folder is said to hang: a slow card may take long to sync.
    private let timeout: Duration
    private var folder: Folder?
    private var lastReported: FolderTrouble?
    private var asked = Uptime.now()
    private var run = Timestamp.now()

    /// How long the relay's start, and its end, wait for a folder.
    private static var grace: Duration { .seconds(3) }
    /// How often the folder is looked at while no media flows.
    private static var pause: Duration { .seconds(5) }

    /// - Parameter slave: what ffmpeg gets for a run in that folder, which is known by that time.
    /// - Throws: what a person has to mend first.
    init(
        _ keeper: Keeper, timeout: Duration, _ health: OutputHealth,
        slave: @escaping (StreamFacts, Folder, Timestamp) -> FFmpegSlave
    ) throws(Failure) {
        (self.timeout, self.health, self.slave) = (timeout, health, slave)
        thread = FolderThread(keeper)
        thread.ask(.look(flows: false, origin: nil))
        thread.settle(within: Self.grace)
        if thread.busySince != nil { fail(.hangs) }
        for report in thread.reports() {
            if let fault = report.fault, fault.trouble == .denied, let failure = fault.failure { throw failure }
            _ = note(report)
        }
    }

    var isFull: Bool { lastReported == .full }

    func begin(_ facts: StreamFacts) -> FFmpegSlave? {
        guard let folder, !thread.owesEnd else { return nil }
        // The clock may have been set back; runs must not be confused all the same.
        run = max(.now(), run.advanced(byMilliseconds: 1))
        thread.ask(.begin(run, folder))
        return slave(facts, folder, run)
    }

    func flowed(now: Uptime, media: Duration?) -> Bool {
        look(flows: true, media.map { Timestamp.now().advanced(byMilliseconds: -Int64($0.milliseconds)) }, now)
    }

    func ended(now: Uptime) {
        thread.ask(.end)
        // Recordings are usually finished at once, and the next ffmpeg can have the folder.
        if lastReported != .hangs { thread.settle(within: .seconds(1)) }
        _ = take(now)
    }

    var wake: Uptime? { asked + Self.pause }
    func tick(now: Uptime) { _ = look(flows: false, nil, now) }

    func stop() { if lastReported != .hangs { thread.settle(within: Self.grace) } }

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

    private func note(_ report: Keeper.Report) -> Bool {
        folder = report.folder
        switch report.verdict {
        case .trouble(let trouble): fail(trouble, report.fault?.words)
        case .fine:
            // What others have told of this output stays.
            if lastReported != nil { health.works() }
            lastReported = nil
        case .restart:
            // What was told before says more of why.
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
