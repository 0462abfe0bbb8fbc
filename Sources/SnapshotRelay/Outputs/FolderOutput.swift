import SnapshotBase
import SnapshotMedia

/// An output that writes into a folder. The relay's own thread never accesses the folder, but a thread for this folder
/// does, so the relay and its other outputs go on while the disk is full, missing or hanging.
final class FolderOutput<Files: OutputFiles>: OpenOutput {
    typealias Upkeep = FolderUpkeep<Files>

    private let reporter: OutputReporter
    private let slave: (StreamFacts, Folder, Timestamp) -> FFmpegSlave
    private let thread: FolderThread<Files>
    /// How long a step may take before the folder counts as hanging; a slow SD card may take long to sync.
    private let timeout: Duration
    private var folder: Folder?
    private var lastReported: FolderTrouble?
    private let clock: SystemClock
    private var lastCheck: Uptime
    /// The start time of the present run of ffmpeg, or of the last one, which identifies it.
    private var runStart: Timestamp
    /// Whether the present run of ffmpeg goes without this output. Only a restart of ffmpeg brings the output back.
    private var isLeftOut = false

    /// How long the relay waits for the folder at its start and at its end.
    private static var grace: Duration { .seconds(3) }
    /// How often the folder is checked while no media flows.
    private static var pause: Duration { .seconds(5) }

    /// - Parameter slave: makes ffmpeg's slave for a run, which its start time identifies.
    /// - Throws: where this user may not write into the folder.
    init(
        _ upkeep: Upkeep, _ shared: SharedOutputSettings, _ reporter: OutputReporter,
        slave: @escaping (StreamFacts, Folder, Timestamp) -> FFmpegSlave
    ) throws(Failure) {
        (timeout, clock) = (shared.stallTimeout, shared.context.clock)
        (self.reporter, self.slave) = (reporter, slave)
        (lastCheck, runStart) = (clock.up(), clock.wall())
        thread = FolderThread(upkeep, clock)
        thread.add(.check(flows: false, streamStart: nil))
        thread.waitUntilIdle(within: Self.grace)
        if thread.busySince != nil { fail(.hangs) }
        for report in thread.reports() {
            if let failure = report.failure, failure.trouble == .denied, let error = failure.failure { throw error }
            _ = apply(report)
        }
    }

    var isFull: Bool { lastReported == .full }

    func begin(_ facts: StreamFacts) -> FFmpegSlave? {
        isLeftOut = folder == nil || thread.isEndPending
        guard let folder, !isLeftOut else { return nil }
        // Two runs must not have the same time, even if the clock was set back between them.
        runStart = max(clock.wall(), runStart.advanced(byMilliseconds: 1))
        thread.add(.begin(runStart, folder))
        return slave(facts, folder, runStart)
    }

    func flowed(now: Uptime, media: Duration?) -> Bool {
        check(flows: true, media.map { clock.wall().advanced(byMilliseconds: -Int64($0.milliseconds)) }, now)
    }

    func ended(now: Uptime) {
        thread.add(.end)
        // The next run gets the folder only once the files of this one are finished, usually in less than a second.
        if lastReported != .hangs { thread.waitUntilIdle(within: .seconds(1)) }
        _ = takeReports(now)
        isLeftOut = false
    }

    var wake: Uptime? { lastCheck + Self.pause }
    func tick(now: Uptime) { _ = check(flows: false, nil, now) }

    func stop() { if lastReported != .hangs { thread.waitUntilIdle(within: Self.grace) } }

    private func check(flows: Bool, _ streamStart: Timestamp?, _ now: Uptime) -> Bool {
        lastCheck = now
        thread.add(.check(flows: flows, streamStart: streamStart))
        return takeReports(now)
    }

    private func takeReports(_ now: Uptime) -> Bool {
        let needsRestart = thread.reports().reduce(false) { needsRestart, report in apply(report) || needsRestart }
        if let since = thread.busySince, now - since > timeout { fail(.hangs) }
        return needsRestart
    }

    private func apply(_ report: Upkeep.Report) -> Bool {
        folder = report.folder
        switch report.verdict {
        case .trouble(let trouble): fail(trouble, report.failure?.words)
        case .fine where isLeftOut: break
        case .fine:
            // Clear only a trouble that was reported here: `OpenOutputs` reports a codec that the output can't carry.
            if lastReported != nil { reporter.works() }
            lastReported = nil
        case .restart:
            // Keep a trouble that was reported before, since it explains more.
            if lastReported == nil { fail(.stuck) }
            return true
        case nil: break
        }
        return false
    }

    private func fail(_ trouble: FolderTrouble, _ words: String? = nil) {
        lastReported = trouble
        if trouble == .hangs { folder = nil }
        reporter.fails(trouble, words)
    }
}
