import SnapshotBase
import SnapshotProcesses
import SnapshotState

/// The result of work in a folder. A forked copy of this process sends it as JSON through a pipe; it is never stored.
package struct FolderReport: JSONMapped, Sendable {
    /// The system call that failed and its errno, or the mount point whose disk is missing.
    package struct ReportedFailure: JSONMapped, Sendable {
        package var call = ""
        package var number = 0
        package var missingMount: String?

        package init() {}

        package init(_ error: SystemError) { (call, number) = (error.call, Int(error.number)) }

        package init(missingMount: String) { self.missingMount = missingMount }

        package var error: SystemError { SystemError(call, number: Int32(clamping: number)) }

        package mutating func map(_ fields: inout JSONFields) {
            fields.field("call", &call)
            fields.field("number", &number)
            fields.field("away", &missingMount)
        }
    }

    package var failure: ReportedFailure?
    /// A limit (LOCAL_STORAGE_…) can't be kept.
    package var isFull: Bool?
    /// Free space, in bytes.
    package var free: Int?
    /// The folder doesn't exist yet, but can be created.
    package var isMissing: Bool?
    /// A more specific hint than the error gives.
    package var hint: String?

    package init() {}

    package init(_ failure: ReportedFailure) { self.failure = failure }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("trouble", &failure)
        fields.field("full", &isFull)
        fields.field("free", &free)
        fields.field("missing", &isMissing)
        fields.field("hint", &hint)
    }

    /// What health shows: a missing disk, or a limit that can't be kept; nil where all is well.
    func learned(of folder: String) -> LearnedStore? {
        guard isFull == true || failure?.missingMount != nil else { return nil }
        var learned = LearnedStore(identity: folder)
        learned.missingMount = failure?.missingMount
        learned.isFull = isFull == true ? true : nil
        return learned
    }

    /// Runs `task` in this process or, where the folder may hang, in a forked copy of it. The last report counts.
    /// - Parameters:
    ///   - folder: that the task will access.
    ///   - descriptor: that the copy needs as well.
    /// - Throws: `.store(.timeout)` where no report has come by the deadline; the copy is then killed, or left behind.
    package static func of(
        _ work: FolderWork, reaching folder: String, until deadline: Deadline, keeping descriptor: Int32? = nil,
        _ task: (FolderWork, _ send: (FolderReport) -> Void) -> Void
    ) throws(StoreFailure) -> FolderReport {
        if FileSystems.areSame(folder, work.statePath) {
            var last = FolderReport()
            task(work) { last = $0 }
            return last
        }
        let watch = work.settings.context.clock.stopwatch()
        let forked = ForkedWork(lock: work.statePath + "/folder.lock", stop: work.settings.context.stop)
        let (lines, ending) = forked.run(until: deadline, keeping: descriptor) {
            reporter in
            task(work) { report in reporter.send(report.json.bytes) }
        }
        if let report = lines.last.flatMap({ JSON($0) }).flatMap(FolderReport.init(json:)) { return report }
        throw hangs(folder, ending, after: watch.elapsed)
    }

    private static func hangs(_ folder: String, _ ending: ForkedWork.Ending, after time: Duration) -> StoreFailure {
        let why =
            switch ending {
            case .stillHangs: "it hangs: an earlier attempt still waits for it"
            case .failed(let why): why
            case .givenUp, .finished: "it hangs: nothing happened for \(Int(time.seconds.rounded())) s"
            }
        let failure = Failure(
            .store(.timeout), "cannot write", folder, why: why,
            hint: Failure.hangHint(folder))
        return StoreFailure(failure, .giveUp)
    }
}
