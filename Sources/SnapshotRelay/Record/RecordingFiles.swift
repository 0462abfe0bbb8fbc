import SnapshotBase
import SnapshotSettings

/// The files of the output `record`: finishes recordings that ffmpeg has completed, and applies retention.
struct RecordingFiles: OutputFiles {
    private let upload: RecordingUpload?
    private let log: Log
    private var folder: RecordingFolder
    /// Whether a run of ffmpeg writes into the folder.
    private var isWritten = false
    private let clock: SystemClock
    private var lastApplied: Uptime
    private var hasWarnedOfBound = false

    init(_ output: RecordOutput, _ upload: RecordingUpload?, _ log: Log) throws(Failure) {
        (self.upload, self.log) = (upload, log)
        let shared = output.shared
        clock = shared.context.clock
        lastApplied = clock.up()
        try shared.outputDirectory.createAndLock()
        folder = try RecordingFolder(output.directory, retention: output.retention, isServed: shared.showsPictures)
        folder.applyLimits(now: clock.wall())
        upload?.use(folder.folder)
    }

    var output: FFmpegFolder { folder.writing }

    mutating func begin(_ runStart: Timestamp) {
        isWritten = true
        folder.begin()
    }

    mutating func update(now: Uptime, streamStart: Timestamp?) -> Bool {
        folder.setStreamStart(streamStart)
        let hasFinished = finish(all: !isWritten)
        return folder.takeGrowth() || hasFinished
    }

    mutating func end(now: Uptime) {
        isWritten = false
        _ = finish(all: true)
    }

    /// Applies retention every ten seconds, since recordings age even while none is added.
    mutating func applyLimits(now: Uptime) {
        if now - lastApplied >= .seconds(10) { applyLimits() }
    }

    private mutating func finish(all: Bool) -> Bool {
        for name in upload?.takeUploaded() ?? [] { folder.forget(name) }
        guard folder.finish(all: all) else { return false }
        applyLimits()
        return true
    }

    private mutating func applyLimits() {
        lastApplied = clock.up()
        let dropped = folder.applyLimits(now: clock.wall())
        guard dropped > 0 else { return }
        if let bound = folder.tooTight, !hasWarnedOfBound {
            hasWarnedOfBound = true
            warn(of: bound)
        }
        if upload != nil {
            log.warn("\(counted(dropped, "recording")) deleted before the store took them: retention keeps no more")
        }
    }

    private func warn(of bound: Setting<Int?>) {
        let isSize = bound.key == Key.recordMaxBytes.key
        log.warn(
            "recordings are deleted as soon as they are finished: \(bound.key) "
                + (isSize ? "holds less than two of them" : "asks for more than is free"))
        log.write(
            .warning,
            isSize
                ? "hint: raise RECORD_MAX_BYTES, or lower SEGMENT_TIME"
                : "hint: free some space, or lower RECORD_MIN_FREE")
    }
}
