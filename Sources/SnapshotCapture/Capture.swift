import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotState

/// Performs one run of `snapshot capture` at each call of `run`: locks the state, takes and checks a picture, uploads it,
/// drains the spool and writes the record. With `--every` the caller repeats it.
///
/// The steps are methods of `Run`: `due` in `Due.swift`, `capture` and `complete` in `Run.swift`, `store` in
/// `StorePicture.swift`, `drain` in `Drain.swift`.
package struct Capture {
    private let settings: CaptureSettings
    private let client: HTTPClient
    private let log: Log
    /// Whether the rest of the interval is used to upload pictures from the spool.
    private let drains: Bool

    package init(_ settings: CaptureSettings, client: HTTPClient, log: Log, drains: Bool = true) {
        self.settings = settings
        self.client = client
        self.log = log
        self.drains = drains
    }

    /// Takes and stores one picture. Failures of camera and store are in the result.
    /// - Parameter signals: blocked before the picture is stored, so that SIGTERM, SIGINT and SIGHUP lose neither
    ///   picture nor record; the caller releases them after this returns.
    /// - Returns: nil where another run holds the lock.
    /// - Throws: only where the run can't begin: the state can't be opened, locked or read.
    package func run(blocking signals: BlockedSignals) throws(Failure) -> Shot? {
        // The drain ends a tenth of the interval before the next run starts.
        let drainDeadline = Deadline.after(settings.interval * 9 / 10)
        guard let state = try StateDirectory.open(settings.statePath) else { return nil }
        let marker = RunMarker(in: settings.runtimeDirectory, statePath: settings.statePath)
        var run = Run(settings, client: client, log: log, state: state)
        // The run before this one didn't remove its marker: it was killed, and counts as a failed capture.
        if let begun = marker.killedRunBegan { run.count(killed: begun) }

        let picture: Picture?
        switch run.due() {
        case .now: picture = run.capture()
        case .skipped(let postponement): picture = run.skip(postponement)
        }
        signals.block()
        if let picture { run.store(picture) }
        if drains { run.drain(until: drainDeadline) }
        run.complete()

        let requestsPing = run.requestsPing
        let shot = run.commit(marker)
        if requestsPing, !settings.context.stop.isMade { ping(shot) }
        return shot
    }

    /// Requests PING_URL, the dead man's switch: the URL itself after a success, and with `/fail` added to its path
    /// after a failure. A failed ping has no effect on the run.
    private func ping(_ shot: Shot) {
        guard let url = settings.pingURL else { return }
        let (path, query) = url[...].cutAtFirst("?").map { ($0, "?" + $1) } ?? (url[...], "")
        let target = shot.exitCode == 0 ? url : path + (path.utf8.last == UInt8(ascii: "/") ? "fail" : "/fail") + query
        var request = HTTPRequest("GET", target, through: settings.proxies, deadline: .after(.seconds(5)))
        request.connectTimeout = .seconds(3)
        do throws(HTTPFailure) { _ = try client.perform(request) } catch {
            log.verbose("the request to PING_URL failed: \(error.why)")
        }
        // With `--every` the next run uses the same client: the ping isn't part of its traffic.
        _ = client.takeTraffic()
    }
}
