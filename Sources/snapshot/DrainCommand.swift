import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotCapture
import SnapshotHTTP

struct DrainCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Send everything in the spool now, several pictures in parallel.",
        discussion:
            "It holds the lock until it ends: no pictures are taken meanwhile. Ctrl-C ends it after the uploads in progress."
    )

    @OptionGroup var options: SettingsOptions

    @Option(help: "How many pictures are sent in parallel.")
    var transfers = 4

    func validate() throws {
        guard (1...16).contains(transfers) else { throw ValidationError("--transfers must be from 1 to 16") }
    }

    func run(in context: ProcessContext) throws {
        Crypto.load()
        let log = options.log(in: context)
        try reporting(log) { () throws(Failure) -> Int32 in
            let read = try options.read(in: context)
            read.warnings.forEach(log.warn)
            let settings = try CaptureSettings(read.asOwner(makesState: true))
            let signals = BlockedSignals()
            signals.block()
            defer { signals.release() }
            let isTerminal = isatty(2) == 1
            let drain = DrainAll(settings, log: log, transfers: transfers) { sent, all in
                // The line ends in a carriage return, so that the next message overwrites it.
                if isTerminal { writeText(to: 2, "\(sent) of \(all) sent\u{1B}[K\r") }
            }
            guard let result = try drain.run() else {
                log.write(.notice, "another run holds the lock; nothing to do")
                return 0
            }
            if isTerminal { writeText(to: 2, "\u{1B}[K") }
            writeText(to: 1, "sent \(result.sent), \(result.left) left in the spool\n")
            if let failure = result.failure {
                log.report(failure)
                return failure.exitCode
            }
            return 0
        }
    }
}
