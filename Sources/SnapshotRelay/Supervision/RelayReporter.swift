import Glibc
import SnapshotBase
import SnapshotMedia
import SnapshotState

/// The relay's reports: log lines on standard error when something changes, status and watchdog pings for systemd, and
/// `relay.json` for the health report.
struct RelayReporter: ~Copyable {
    private let plan: RelayPlan
    private let log: Log
    private var notifier: Notifier
    private var lastReported: Supervisor.State?
    private var lastTroubles: [String: OutputTrouble] = [:]
    private var credentials: CredentialsStatus?
    private var stderrTail: [String] = []
    private var flowingSince: Moment?
    private var idleSince: Moment?
    private var failingSince: [String: Moment] = [:]
    private var written: Uptime?
    /// The trouble that was last logged, and when; the same trouble is logged again after an hour.
    private var loggedTrouble: (code: String, at: Uptime)?
    /// Whether the next change to `running` is logged: the first one, and each one after a logged trouble.
    private var logsNextSuccess = true
    /// The stream of the present attempt.
    var facts: StreamFacts?

    private static let reminder: Duration = .seconds(3600)
    /// How often `relay.json` is written, and the watchdog extended, without any change.
    private static let interval: Duration = .seconds(60)

    init(_ plan: RelayPlan, _ notifier: consuming Notifier, log: Log) {
        self.plan = plan
        self.log = log
        self.notifier = notifier
        idleSince = plan.context.clock.now().moment
    }

    /// When `report` is due without any change.
    var wake: Uptime? { written.map { $0 + Self.interval } }

    func ready() { notifier.ready() }
    func stopping() { notifier.stopping() }
    func reportDone() { ServiceProcess.reportDone(notifier) }
    mutating func flowing(now: Uptime) { notifier.flowing(now: now) }

    /// Keeps the last lines of ffmpeg's standard error, for the report of the attempt that has ended.
    mutating func remember(stderrTail: [String]) { self.stderrTail = stderrTail }

    /// Reports what has changed since the last call.
    mutating func report(_ supervisor: Supervisor, _ outputs: OutputStates, now: Uptime) {
        let (troubles, newCredentials) = (outputs.troubles, outputs.credentials.withLock { $0 })
        let isNewState = lastReported.map { !Self.isSame($0, supervisor.state) } ?? true
        let isDue = wake.map { now >= $0 } ?? true
        guard isNewState || troubles != lastTroubles || newCredentials != credentials || isDue else { return }
        credentials = newCredentials
        if isNewState { logState(supervisor, now) }
        for (mode, trouble) in troubles where lastTroubles[mode] != trouble {
            let others = troubles.count < plan.outputs.count ? "; the other outputs go on" : ""
            log.warn("\(mode) doesn't work: \(trouble.words)\(others)")
            if let hint = trouble.hint { log.write(.warning, "hint: \(hint)") }
        }
        for mode in lastTroubles.keys where troubles[mode] == nil { log.write(.notice, "\(mode) works again") }
        (lastReported, lastTroubles) = (supervisor.state, troubles)
        if case .running = supervisor.state {} else { notifier.waiting(now: now) }
        notifier.status(status(supervisor))
        write(Self.name(supervisor.state), supervisor.restarts, supervisor.lastTrouble?.code, troubles, now)
    }

    mutating func stopped(restarts: Int, lastTrouble: String?) {
        (flowingSince, credentials) = (nil, nil)
        write("stopped", restarts, lastTrouble, [:], plan.context.clock.up())
    }

    // MARK: Lines

    private mutating func logState(_ supervisor: Supervisor, _ now: Uptime) {
        switch supervisor.state {
        case .running:
            flowingSince = plan.context.clock.now().moment
            guard logsNextSuccess else { return }
            logsNextSuccess = false
            log.write(.notice, "relaying \(mediaInWords) to \(modes)")
        case .backingOff, .refused:
            flowingSince = nil
            guard let trouble = supervisor.lastTrouble else { return }
            if let loggedTrouble, loggedTrouble.code == trouble.code, now - loggedTrouble.at < Self.reminder { return }
            loggedTrouble = (trouble.code, now)
            logsNextSuccess = true
            log.report(failure(trouble))
        case .starting, .stalled, .stopping, .stopped: flowingSince = nil
        }
    }

    private func failure(_ trouble: Supervisor.Trouble) -> Failure {
        let tail = stderrTail.suffix(3).joined(separator: "; ")
        let why = trouble.words + (tail.isEmpty ? "" : " (\(tail))")
        return Failure(
            Failure.Code(rawValue: trouble.code), "no video from camera", plan.camera.address,
            why: why, hint: trouble.hint)
    }

    private var modes: String {
        plan.outputs.filter { output in facts.map { output.carries($0.video) } ?? true }.map(\.mode)
            .joined(separator: ", ")
    }

    private var mediaInWords: String {
        guard let facts else { return "video" }
        let audio = plan.audio == .none ? nil : facts.audio
        return facts.video + (audio.map { " with \($0)" } ?? "")
    }

    // MARK: systemd

    private func status(_ supervisor: Supervisor) -> String {
        let trouble = supervisor.lastTrouble.map { $0.words } ?? ""
        let restarts = supervisor.restarts == 1 ? "1 restart" : "\(supervisor.restarts) restarts"
        switch supervisor.state {
        case .starting: return "asking the camera"
        case .running:
            let failing =
                lastTroubles.isEmpty
                ? "" : "; failing: " + lastTroubles.keys.sorted().joined(separator: ", ")
            return "relaying \(mediaInWords) to \(modes), \(restarts)\(failing)"
        case .stalled: return "ending an attempt that has stalled"
        case .backingOff: return trouble.isEmpty ? "starting" : "waiting to ask the camera again: \(trouble)"
        case .refused: return "waiting 10 min or longer before the camera is asked again: \(trouble)"
        case .stopping, .stopped: return "finishing files"
        }
    }

    // MARK: relay.json

    private static func name(_ state: Supervisor.State) -> String {
        switch state {
        case .starting: "starting"
        case .running: "running"
        case .stalled: "stalled"
        case .backingOff: "backing-off"
        case .refused: "refused"
        case .stopping, .stopped: "stopped"
        }
    }

    private static func isSame(_ left: Supervisor.State, _ right: Supervisor.State) -> Bool {
        // Two waits are different states: a start that fails at once goes from one wait to the next.
        if case .backingOff = left, case .backingOff = right { return left == right }
        return name(left) == name(right)
    }

    /// Writes `relay.json`. An error is ignored, since the relay can work without it.
    private mutating func write(
        _ state: String, _ restarts: Int, _ lastTrouble: String?, _ troubles: [String: OutputTrouble], _ now: Uptime
    ) {
        written = now
        let present = plan.context.clock.now()
        var report = RelayReport(
            state: state, modes: plan.modes, updated: present.moment, boot: present.boot,
            restarts: restarts)
        report.flowingSince = flowingSince
        report.lastError = lastTrouble
        if flowingSince == nil { idleSince = idleSince ?? present.moment } else { idleSince = nil }
        report.idleSince = idleSince
        report.failing = troubles.isEmpty ? nil : troubles.mapValues(\.code)
        failingSince = troubles.mapValues { _ in present.moment }.merging(failingSince) { $1 }
            .filter { troubles[$0.key] != nil }
        report.failingSince = troubles.isEmpty ? nil : failingSince
        report.credentials = credentials
        report.stallTimeout = plan.stallTimeout.seconds
        let path = plan.statePath + "/" + RelayReport.fileName
        try? writeDurably([report.json.bytes + [10]], to: path, temporary: path + ".new", mode: 0o640, isServed: true)
    }
}
