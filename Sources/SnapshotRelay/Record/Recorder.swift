import SnapshotBase
import SnapshotMedia
import SnapshotSettings

/// Finishes recordings as ffmpeg is done with them, has them uploaded, and deletes the oldest beyond the bounds.
final class Recorder: OpenOutput {
    private let output: RecordOutput
    private let health: OutputHealth
    private let log: Log
    private let upload: SegmentUpload?
    private var folder: RecordFolder
    private var watch: FolderWatch
    private var lastRetained = Uptime.now()
    private var hasWarnedOfBound = false

    init(_ output: RecordOutput, _ health: OutputHealth, _ log: Log) throws(Failure) {
        self.output = output
        self.health = health
        self.log = log
        let shared = output.shared
        folder = try RecordFolder(output.directory, retention: output.retention, isServed: shared.showsPictures)
        // A recording grows with every key frame.
        watch = FolderWatch(output.directory, segmentTime: .seconds(10), stallTimeout: shared.stallTimeout)
        upload = output.upload.map {
            SegmentUpload(
                output.directory, $0, camera: shared.camera, statePath: shared.statePath + "/relay", log: log)
        }
        folder.retain(now: .now())
        upload?.start()
    }

    func begin(_ facts: StreamFacts) -> FFmpegSlave {
        watch.begin()
        folder.reopen()
        return output.slave(in: folder.writing.folder)
    }

    func flowed(now: Uptime) -> Bool {
        tidy(all: false, now: now)
        return health.note(watch.look(now: now, grew: folder.takeGrowth(), folder.writing))
    }

    func ended(now: Uptime) { tidy(all: true, now: now) }

    /// Recordings grow old also while none is added.
    var wake: Uptime? { lastRetained + .seconds(60) }
    func tick(now: Uptime) { retain(now: now) }

    func stop() { upload?.stop() }

    private func tidy(all: Bool, now: Uptime) {
        for name in upload?.takeUploaded() ?? [] { folder.forget(name) }
        if folder.finish(all: all) { retain(now: now) }
    }

    private func retain(now: Uptime) {
        lastRetained = now
        let dropped = folder.retain(now: .now())
        guard dropped > 0 else { return }
        if let bound = folder.tooTight, !hasWarnedOfBound {
            hasWarnedOfBound = true
            warn(of: bound)
        }
        if upload != nil {
            log.warn("\(dropped) recorded segments were given up before the store took them: no more room")
        }
    }

    private func warn(of bound: Setting<Int?>) {
        let isSize = bound.key == Key.recordMaxBytes.key
        log.warn(
            "recordings are deleted as soon as they are finished: \(bound.key) "
                + (isSize ? "holds less than two of them" : "wants more room than there is"))
        log.write(
            .warning,
            isSize
                ? "hint: raise RECORD_MAX_BYTES, or lower SEGMENT_TIME"
                : "hint: free some space, or lower RECORD_MIN_FREE")
    }
}
