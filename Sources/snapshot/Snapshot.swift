import ArgumentParser
import Glibc
import SnapshotBase

@main
struct Snapshot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "One picture from a camera into S3, a folder or an HTTP endpoint.",
        discussion: """
            Settings come from the command line, credential files, the environment, and the first of ./.env and \
            \(Settings.systemPath). Exit codes: 0 stored, or another run holds the lock; 64 usage; 69 camera; \
            74 state or spool; 75 store, the picture is in the spool; 77 credentials refused; 78 settings.
            """,
        version: snapshotVersion,
        subcommands: [
            CaptureCommand.self, HealthCommand.self, CheckCommand.self, DrainCommand.self, ScheduleCommand.self,
        ],
        defaultSubcommand: CaptureCommand.self)

    /// `snapshot capture` without options, as timers run it, is spared the argument parser, a seventh of its
    /// instructions, and libcrypto's tidying up at exit: nothing here waits in a buffer.
    static func main() {
        let words = CommandLine.arguments.dropFirst()
        guard words.isEmpty || words.elementsEqual(["capture"]) else { return main(nil) }
        _exit(CaptureJob().run { () throws(Failure) in try Settings(environment: currentEnvironment()) })
    }
}
