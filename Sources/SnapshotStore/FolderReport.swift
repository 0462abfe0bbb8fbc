import SnapshotBase
import SnapshotState

/// What writing into a folder has come to. It can cross a pipe.
package struct FolderReport: JSONMapped, Sendable {
    package struct Trouble: JSONMapped, Sendable {
        package var call = ""
        package var number = 0
        /// The mount point whose disk isn't there.
        package var away: String?

        package init() {}

        package init(_ error: SystemError) { (call, number) = (error.call, Int(error.number)) }

        package init(away mount: String) { away = mount }

        package var error: SystemError { SystemError(call, number: Int32(clamping: number)) }

        package mutating func map(_ fields: inout JSONFields) {
            fields.field("call", &call)
            fields.field("number", &number)
            fields.field("away", &away)
        }
    }

    package var trouble: Trouble?
    /// A bound can't be kept.
    package var isFull: Bool?
    /// What is free there, in bytes.
    package var free: Int?
    /// Nothing is there yet; it can be made.
    package var isMissing: Bool?
    /// What to do about the trouble, where more is known than the error.
    package var hint: String?

    package init() {}

    package init(_ trouble: Trouble) { self.trouble = trouble }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("trouble", &trouble)
        fields.field("full", &isFull)
        fields.field("free", &free)
        fields.field("missing", &isMissing)
        fields.field("hint", &hint)
    }

    func learned(of place: String) -> LearnedStore? {
        guard isFull == true || trouble?.away != nil else { return nil }
        var learned = LearnedStore(place: place)
        learned.away = trouble?.away
        learned.isFull = isFull == true ? true : nil
        return learned
    }

    /// Has `task` done by this process or, where it may hang, by a copy of it. The last that it says counts.
    /// - Parameter folder: where the task will look.
    package static func of(
        _ work: FolderWork, reaching folder: String, until deadline: Deadline, keeping descriptor: Int32? = nil,
        _ task: (FolderWork, _ say: (FolderReport) -> Void) -> Void
    ) throws(StoreFailure) -> FolderReport {
        if Neighbourhood.shares(folder, with: work.statePath) {
            var last = FolderReport()
            task(work) { last = $0 }
            return last
        }
        let begun = Uptime.now()
        let apart = Apart(lock: work.statePath + "/folder.lock", stop: work.settings.stop)
        let (said, ending) = apart.run(until: deadline, keeping: descriptor) {
            reporter in
            task(work) { report in reporter.say(report.json.bytes) }
        }
        if let report = said.last.flatMap({ JSON($0) }).flatMap(FolderReport.init(json:)) { return report }
        throw hangs(folder, ending, after: Uptime.now() - begun)
    }

    private static func hangs(_ folder: String, _ ending: Apart.Ending, after time: Duration) -> StoreFailure {
        let why =
            switch ending {
            case .stillHangs: "it hangs: an earlier attempt still waits for it"
            case .failed(let why): why
            case .leftBehind, .finished: "it hangs: nothing came of it in \(Int(time.seconds.rounded())) s"
            }
        let failure = Failure(
            .store(.timeout), "cannot write", folder, why: why,
            hint: "look whether its server or its disk answers: ls \(folder)")
        return StoreFailure(failure, .giveUp)
    }
}
