import ArgumentParser
import SnapshotBase
import SnapshotRelay

struct RelayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay", abstract: "Relay the camera's video: push it on, serve it as HLS, record it, post it.",
        discussion: """
            STREAM_MODE says what to do, several with commas between: republish (RTSP push to OUTPUT_RTSP_URL), hls \
            (OUTPUT_DIR/hls/stream.m3u8), record (OUTPUT_DIR/record) and pipe (MPEG-TS to SERVER_URL). The video is \
            never encoded anew. Runs until it is told to end, and starts over by itself whenever the camera, an \
            output or ffmpeg fails.
            """)

    @OptionGroup var options: SettingsOptions

    func run() throws {
        try reporting(options.log()) { () throws(Failure) in try Self.run(options.read(), options.log()) }
    }

    /// What the command does, free of how it was asked for.
    /// - Returns: the exit code.
    static func run(_ settings: Settings, _ log: Log) throws(Failure) -> Int32 {
        settings.warnings.forEach(log.warn)
        let plan = try RelayPlan(settings.asOwner(makesState: true))
        if try !Relay(plan, log: log).run() { log.write(.notice, "another relay holds the lock; nothing to do") }
        return 0
    }
}
