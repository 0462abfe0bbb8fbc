import SnapshotBase
import SnapshotMedia
import SnapshotSettings

/// `hls`: a live stream for browsers, in files that a web server serves.
package struct HLSOutput: RelayOutput {
    package static let mode = "hls"
    package static let summary = "OUTPUT_DIR/hls/stream.m3u8"

    package var segmentTime: Duration
    package var shared: SharedOutputSettings

    package init(_ settings: Settings, _ shared: SharedOutputSettings) throws(Failure) {
        segmentTime = try Self.segmentTime(settings)
        self.shared = shared
    }

    package static func check(_ settings: Settings) throws(Failure) { _ = try segmentTime(settings) }

    private static func segmentTime(_ settings: Settings) throws(Failure) -> Duration {
        try settings[Key.hlsSegmentTime]
    }

    /// The codecs that browsers play.
    package func carries(_ codec: String) -> Bool { ["h264", "hevc"].contains(codec) }

    var directory: String { shared.directory + "/hls" }

    package func open(_ reporter: OutputReporter, log: Log) throws(Failure) -> any OpenOutput {
        let upkeep = FolderUpkeep(
            directory, memory: OutputFolderMemory(statePath: shared.statePath, mode: mode),
            watch: FolderWatch(segmentTime: segmentTime, stallTimeout: shared.stallTimeout)
        ) { [self] () throws(Failure) in
            try shared.outputDirectory.createAndLock()
            let now = shared.context.clock.wall()
            return try HLSFolder(directory, segmentTime: segmentTime, now: now, isServed: shared.showsPictures)
        }
        return try FolderOutput(upkeep, shared, reporter) { [self] _, folder, runStart in
            let names = HLSFolder.names(runStart)
            return slave(folder, list: names.list, initialisation: names.initialisation)
        }
    }

    /// ffmpeg's HLS muxer. All files are in `folder`; `list` is the name of ffmpeg's own playlist, and `initialisation`
    /// that of the initialisation segment.
    func slave(_ folder: Folder?, list: String, initialisation: String) -> FFmpegSlave {
        // Segment numbers start at the time in microseconds, so that no name is used twice, even after a disk failure.
        var slave = FFmpegSlave(
            "hls",
            [
                ("hls_time", segmentTime.secondsText), ("hls_list_size", "\(HLSFolder.listSize)"),
                ("hls_start_number_source", "epoch_us"),
                ("hls_flags", "omit_endlist+temp_file+program_date_time"),
                // Media Source Extensions take fragmented MP4 in every browser, whatever the codec.
                ("hls_segment_type", "fmp4"), ("hls_fmp4_init_filename", initialisation),
            ], to: .file(list))
        slave.folder = folder
        slave.files = [("hls_segment_filename", "%d.m4s")]
        return slave
    }
}

extension HLSFolder: OutputFiles {
    mutating func begin(_ runStart: Timestamp) { begin(now: runStart) }
    mutating func update(now: Uptime, streamStart: Timestamp?) -> Bool { update() }
    mutating func end(now: Uptime) { end() }
}
