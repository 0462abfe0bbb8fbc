import SnapshotBase
import SnapshotMedia
import SnapshotSettings

/// `record`: MP4 files in a folder, with retention by size, age and free space. RECORD_UPLOAD also uploads them.
package struct RecordOutput: RelayOutput {
    package static let mode = "record"
    package static let summary = "OUTPUT_DIR/record"

    package var segmentTime: Duration
    package var retention: RecordingRetention
    /// The upload of finished recordings; nil without RECORD_UPLOAD.
    package var upload: RecordingUploadSettings?
    package var shared: SharedOutputSettings

    package init(_ settings: Settings, _ shared: SharedOutputSettings) throws(Failure) {
        segmentTime = try Self.segmentTime(settings)
        upload = try settings[Key.recordUpload] ? RecordingUploadSettings(settings) : nil
        retention = try RecordingRetention(settings, uploads: upload != nil)
        self.shared = shared
    }

    package static func check(_ settings: Settings) throws(Failure) {
        _ = try segmentTime(settings)
        _ = try settings[Key.recordUpload]
        _ = try RecordingRetention(settings, uploads: false)
    }

    private static func segmentTime(_ settings: Settings) throws(Failure) -> Duration {
        try settings[Key.segmentTime]
    }

    var directory: String { shared.directory + "/record" }

    package func open(_ reporter: OutputReporter, log: Log) throws(Failure) -> any OpenOutput {
        let upload = upload.map {
            RecordingUpload($0, camera: shared.camera, statePath: shared.statePath + "/relay", reporter, log: log)
        }
        // The file of a recording grows with every key frame, whatever SEGMENT_TIME is.
        let upkeep = FolderUpkeep(
            directory, memory: OutputFolderMemory(statePath: shared.statePath, mode: mode),
            watch: FolderWatch(segmentTime: .seconds(10), stallTimeout: shared.stallTimeout)
        ) { [self] () throws(Failure) in try RecordingFiles(self, upload, log) }
        let output = try FolderOutput(upkeep, shared, reporter, slave: slave)
        upload?.start()
        return output
    }

    func slave(_ facts: StreamFacts, in folder: Folder, runStart: Timestamp) -> FFmpegSlave {
        var slave = FFmpegSlave(
            "segment",
            [
                ("segment_time", segmentTime.secondsText), ("segment_format", "mp4"),
                ("segment_format_options", "movflags=+frag_keyframe+empty_moov+default_base_moof:flush_packets=1"),
                ("reset_timestamps", "1"), ("segment_list_type", "csv"), ("segment_list_size", "\(SegmentList.length)"),
            ], to: .file("\(runStart.milliseconds)-%d.mp4"))
        slave.files = [("segment_list", SegmentList.name(runStart.milliseconds))]
        slave.folder = folder
        return slave
    }
}
