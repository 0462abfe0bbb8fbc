import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotCapture
import SnapshotHTTP
import SnapshotSettings

struct CaptureCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Take one picture and store it; the default.",
        discussion: "What the store doesn't take is kept in the spool and sent later.")

    @OptionGroup var options: SettingsOptions

    @Option(
        help: ArgumentHelp(
            "Repeat in this process at this interval, e.g. 10s.", valueName: "interval"))
    var every: String?

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("With --every: begin no picture after this time.", valueName: "duration"))
    var span: String?

    @Flag(help: "Print the outcome as one JSON object.")
    var json = false

    @Flag(inversion: .prefixedNo, help: "Whether to send earlier pictures from the spool in the rest of the interval.")
    var drain = true

    func validate() throws {
        for (name, text) in [("--every", every), ("--for", span)] {
            guard let text else { continue }
            guard let duration = Duration(setting: text), duration >= .seconds(1) else {
                throw ValidationError("\(name) \(text): must be a duration of at least 1s, such as 10s or 5m")
            }
        }
        if span != nil, every == nil { throw ValidationError("--for needs --every") }
    }

    func run(in context: ProcessContext) throws {
        var job = CaptureJob(context: context)
        job.interval = every.flatMap(Duration.init(setting:))
        job.span = span.flatMap(Duration.init(setting:))
        job.json = json
        job.drains = drain
        job.isVerbose = options.verbose
        throw ExitCode(job.run { () throws(Failure) in try options.read(in: context) })
    }
}

/// The work of `snapshot capture`, independent of the argument parser.
struct CaptureJob {
    let context: ProcessContext
    var interval: Duration?
    var span: Duration?
    var json = false
    var drains = true
    var isVerbose = false

    /// - Returns: the exit code.
    func run(_ readSettings: () throws(Failure) -> Settings) -> Int32 {
        Crypto.load()
        let log = Log("snapshot", isVerbose: isVerbose, in: context)
        let printer = ShotPrinter(log: log, json: json, outputIsJournal: context.goesToJournal(1))
        var settings: CaptureSettings
        let ownersSettings: Settings
        var settingsForRecord: Settings?
        do throws(Failure) {
            let read = try readSettings()
            settingsForRecord = read
            read.warnings.forEach(log.warn)
            ownersSettings = try read.asOwner(makesState: true)
            settings = try CaptureSettings(ownersSettings, interval: interval)
            // Not in the journal, which would get this warning at every run.
            if let remark = settings.keyTemplate.remark, !log.isJournal { log.warn(remark) }
        } catch {
            let isNews = UnbegunRun(error, settingsForRecord, in: context).record()
            printer.print(error, isNews: isNews)
            return error.exitCode
        }
        var capture = Capture(settings, client: settings.makeClient(), log: log, drains: drains)
        guard let interval else { return shoot(capture, settings, printer) }
        return repeating(every: interval, for: span, context.clock) {
            // Read the store's settings again: they name a file in a folder that hung, which may respond now.
            if settings.storeKind is UnreadStore, let read = try? CaptureSettings(ownersSettings, interval: interval) {
                settings = read
                capture = Capture(settings, client: settings.makeClient(), log: log, drains: drains)
            }
            return shoot(capture, settings, printer)
        }
    }

    private func shoot(_ capture: Capture, _ settings: CaptureSettings, _ printer: ShotPrinter) -> Int32 {
        let signals = BlockedSignals()
        defer { signals.release() }
        do throws(Failure) {
            let shot = try capture.run(blocking: signals)
            printer.print(shot, settings)
            return shot?.exitCode ?? 0
        } catch {
            printer.print(error)
            return error.exitCode
        }
    }
}

/// Calls `body` at start + k·interval. Calls that fall due while another one runs are skipped, and later
/// ones keep their times. SIGTERM and SIGINT end the loop after the call in progress.
/// - Returns: 0 after a signal, otherwise what the last call returned.
private func repeating(
    every interval: Duration, for span: Duration?, _ clock: SystemClock, _ body: () -> Int32
) -> Int32 {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGTERM, SIGINT] { sigaddset(&signals, signal) }
    sigprocmask(SIG_BLOCK, &signals, nil)

    let start = clock.up()
    var count: Int64 = 0
    var last: Int32 = 0
    while true {
        last = body()
        let passed = (clock.up() - start).nanoseconds / interval.nanoseconds
        count = max(count, passed) + 1
        let next = interval * Double(count)
        if let span, next >= span { return last }
        if (start + next).sleep(untilThisOr: signals) != nil { return 0 }
    }
}
