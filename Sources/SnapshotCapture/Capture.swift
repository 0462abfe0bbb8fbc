import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotState

/// The one-shot: lock, load, capture, check, put, drain, record.
package struct Capture {
    private let settings: CaptureSettings
    private let client: HTTPClient
    private let log: Log
    /// Whether what is left of the slot goes to the spool.
    private let drains: Bool

    package init(_ settings: CaptureSettings, client: HTTPClient, log: Log, drains: Bool = true) {
        self.settings = settings
        self.client = client
        self.log = log
        self.drains = drains
    }

    /// Takes and stores one picture.
    /// - Parameter signals: held as soon as there is a picture to lose; the caller releases them.
    /// - Returns: nil where another run holds the lock.
    /// - Throws: only what keeps a run from beginning: the state can't be opened, locked or read.
    package func run(holding signals: HeldSignals) throws(Failure) -> Shot? {
        let started = Uptime.now()
        guard let state = try StateDirectory.open(settings.statePath) else { return nil }
        let mark = RunMark(in: settings.runtimeDirectory, statePath: settings.statePath)
        var run = Run(settings, client: client, log: log, state: state)
        if let begun = mark.killed { run.count(killed: begun) }

        let picture: Picture?
        switch run.due() {
        case .now: picture = run.capture()
        case .skipped(let postponement): picture = run.skip(postponement)
        }
        signals.hold()
        if let picture { run.store(picture) }
        if drains { run.drain(until: Deadline(started + settings.interval * 9 / 10)) }
        run.complete()

        let pings = run.pings
        let shot = run.commit(mark)
        if pings, !settings.context.stop.isMade { ping(shot) }
        return shot
    }

    /// Tells the dead man's switch how the run ended; whether it hears is its own affair.
    private func ping(_ shot: Shot) {
        guard let url = settings.pingURL else { return }
        let (path, query) = url[...].cutAtFirst("?").map { ($0, "?" + $1) } ?? (url[...], "")
        let target = shot.exitCode == 0 ? url : path + (path.utf8.last == UInt8(ascii: "/") ? "fail" : "/fail") + query
        var request = HTTPRequest("GET", target, deadline: .after(.seconds(5)))
        request.connectTimeout = .seconds(3)
        request.proxies = settings.proxies
        do throws(HTTPFailure) { _ = try client.perform(request) } catch {
            log.verbose("PING_URL did not answer: \(error.why)")
        }
    }
}
