import SnapshotBase
import SnapshotMedia
import SnapshotSettings

/// `hls`: a live stream for browsers, as files that a web server serves.
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

    package var usesOutputDirectory: Bool { true }
    var directory: String { shared.directory + "/hls" }

    package func open(_ health: OutputHealth, log: Log) throws(Failure) -> any OpenOutput {
        try HLSWriter(self, health)
    }

    /// - Parameters:
    ///   - folder: where all of it goes.
    ///   - list: the name of ffmpeg's own.
    ///   - initialisation: the name of the file that fragmented MP4 begins with.
    func slave(_ folder: Folder?, list: String, initialisation: String) -> FFmpegSlave {
        // Numbered from the time in microseconds, no name ever comes twice, not even after a failed disk.
        var slave = FFmpegSlave(
            "hls",
            [
                ("hls_time", segmentTime.secondsText), ("hls_list_size", "\(HLSFolder.listSize)"),
                ("hls_start_number_source", "epoch_us"),
                ("hls_flags", "omit_endlist+temp_file+program_date_time"),
                // What Media Source takes in every browser, whatever the codec.
                ("hls_segment_type", "fmp4"), ("hls_fmp4_init_filename", initialisation),
            ], to: .file(list))
        slave.folder = folder
        slave.files = [("hls_segment_filename", "%d.m4s")]
        return slave
    }
}

/// Keeps the folder's list for players in step with ffmpeg's own.
private final class HLSWriter: OpenOutput {
    private let output: HLSOutput
    private let health: OutputHealth
    private var folder: HLSFolder
    private var watch: FolderWatch

    init(_ output: HLSOutput, _ health: OutputHealth) throws(Failure) {
        self.output = output
        self.health = health
        folder = try HLSFolder(
            output.directory, segmentTime: output.segmentTime, now: .now(), isServed: output.shared.showsPictures)
        watch = FolderWatch(
            output.directory, segmentTime: output.segmentTime, stallTimeout: output.shared.stallTimeout)
    }

    func begin(_ facts: StreamFacts) -> FFmpegSlave {
        watch.begin()
        let names = folder.begin(now: .now())
        return output.slave(folder.output.folder, list: names.list, initialisation: names.initialisation)
    }

    func flowed(now: Uptime) -> Bool { health.note(watch.look(now: now, grew: folder.update(), folder.output)) }

    func ended(now: Uptime) { folder.end() }
}
