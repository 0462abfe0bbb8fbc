import ArgumentParser
import SnapshotBase
import SnapshotHTTP
import SnapshotRelay
import SnapshotSettings

struct RelayCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay", abstract: "Relay the camera's video: republish it, serve it as HLS, record it, post it.",
        discussion: """
            STREAM_MODE names one output or several, separated by commas: \(RelayOutputs.help). The video is \
            never re-encoded. The relay runs until a signal ends it. When the camera or ffmpeg fails, it starts ffmpeg again; \
            when an output fails, the others go on.
            """)

    @OptionGroup var options: SettingsOptions

    func run(in context: ProcessContext) throws {
        let log = options.log(in: context)
        try reporting(log) { () throws(Failure) in try Self.run(options.read(in: context), log) }
    }

    /// The work of `snapshot relay`, independent of the argument parser.
    /// - Returns: the exit code.
    static func run(_ settings: Settings, _ log: Log) throws(Failure) -> Int32 {
        Crypto.load()
        settings.warnings.forEach(log.warn)
        let plan = try RelayPlan(settings.asOwner(makesState: true))
        if try !Relay.run(plan, log: log) { log.write(.notice, "another relay holds the lock; nothing to do") }
        return 0
    }
}
