import Glibc
import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotProcesses
import SnapshotSettings
import SnapshotState

/// `snapshot check`: tries everything once, within `limit`. It disturbs no capture: it ends the camera sessions that it
/// opens, removes what it stores where that is allowed, and takes the lock only to end a hold-off. Otherwise it writes
/// only the camera's pin, and what `acceptsFolder` asks for.
package struct Check {
    package static let limit = Duration.seconds(19)

    private let plan: CheckPlan
    private let context: ProcessContext
    private let units: [Finding]
    /// Why root's rights couldn't be given up for those of the state's owner; then only settings and units are checked.
    private let refusal: Failure?
    private let areServiceSettings: Bool
    private let log: Log

    /// Checks systemd's units and the web front's settings. Call it before root's rights are given up: without a
    /// message bus systemctl works for root only.
    package static func units(_ settings: Settings) -> [Finding] {
        let seen = CheckPlan(settings, lockedCredentials: nil)
        return UnitsCheck(
            settingsPath: settings.path, interval: seen.interval, storagePath: seen.store?.folder,
            deadline: .after(.seconds(5)), environment: settings.context.environment
        ).findings() + FrontCheck(settings: settings).findings()
    }

    /// Switches this process for good from root to the state's owner: root's permissions say nothing about captures,
    /// and a camera's picture isn't decoded as root.
    /// - Parameters:
    ///   - lockedCredentials: a directory of secrets that the units read and this user may not.
    ///   - areServiceSettings: whether these are the settings of systemd's units; relative paths then start where the
    ///     units do.
    ///   - units: the result of `units`.
    package init(
        _ settings: Settings, lockedCredentials: String?, areServiceSettings: Bool, units: [Finding], log: Log
    ) {
        var settings = settings
        context = settings.context
        self.units = units
        do throws(Failure) {
            settings = try settings.asOwner(makesState: false)
            refusal = nil
        } catch { refusal = error }
        // The state belongs to root, so captures run ffmpeg as root. The check doesn't need to.
        if geteuid() == 0 { Child.user.withLock { $0 = .nobody } }
        plan = CheckPlan(settings, lockedCredentials: lockedCredentials)
        self.areServiceSettings = areServiceSettings
        self.log = log
    }

    /// Calls `report` with each finding in a fixed order, as soon as it is known.
    /// - Parameters:
    ///   - forgetsPin: first forgets the camera's pinned TLS key.
    ///   - acceptsFolder: first accepts the folder for pictures although its disk isn't mounted.
    package func run(forgetsPin: Bool, acceptsFolder: Bool = false, _ report: (Finding) -> Void) {
        let deadline = Deadline.after(Self.limit)
        let now = context.clock.now()
        func reportAll(_ findings: [Finding]) { findings.forEach(report) }

        if let refusal {
            // A refusal of another kind comes from the settings, and is among the plan's findings.
            if refusal.kind == .state {
                reportAll(plan.findings + [.failed("state", refusal)] + units)
            } else {
                reportAll(plan.findings + units)
            }
            return
        }
        if areServiceSettings, plan.statePath.hasPrefix("/") { chdir(plan.statePath) }
        // Hold signals until the camera sessions are closed and the store's probe is removed.
        let signals = BlockedSignals()
        signals.block()
        let forgotten = (forgetsPin ? [plan.forgetPin()] : []) + (acceptsFolder ? [plan.acceptFolder(now)] : [])
        // Created before the second thread starts, since libcurl's initialisation isn't thread-safe.
        let client = HTTPClient(context)
        // A folder may be checked in a forked copy of this process, which needs a process with one thread.
        let isFolder = plan.store?.folder != nil
        let timeout = deadline.sooner(isFolder ? .seconds(4) : .seconds(14))
        let store = StoreCheck(statePath: plan.statePath, now: now, client: client, deadline: timeout)
        let folder = isFolder ? plan.store.map(store.run) : nil
        let camera = plan.camera.map { camera in
            Background { [plan, log] in checkCamera(camera, plan, log, deadline) }
        }
        let state = StateCheck(plan: plan, now: now)
        reportAll(plan.findings + forgotten)
        let holdOff = HoldOffCheck(plan: plan, now: now)
        reportAll(state.state() + holdOff.findings() + [state.spool()])
        let stored = folder ?? plan.store.map(store.run)
        let seen = camera?.value()
        signals.release()
        reportAll(seen?.findings ?? [.skipped("camera", "not tried: the settings above are refused")])
        reportAll(stored?.findings ?? [.skipped("storage", "not tried: the settings above are refused")])
        let accepted = [(seen?.isAccepted, "camera"), (stored?.isAccepted, "store")].filter { $0.0 == true }.map(\.1)
        reportAll(holdOff.release(Set(accepted)))
        var offsets: [(whose: String, milliseconds: Int64)] = []
        if let offset = stored?.clockOffset { offsets.append(("store", offset)) }
        if let offset = seen?.clockOffset { offsets.append(("camera", offset)) }
        reportAll([ClockCheck(timeService: CaptureClock.timeService(), offsets: offsets).finding()])
        let version = StreamCheck.ffmpeg(
            isNeeded: plan.needsFFmpeg, deadline: deadline.sooner(.seconds(3)), context.environment)
        reportAll([version])
        reportAll([BoardCheck(board: Board(root: "")).finding()])
        reportAll(units)
    }
}

/// Checks the camera's picture, then its video. The video isn't tried after a refused login, since more of them may
/// lock the account.
private func checkCamera(_ camera: CameraSettings, _ plan: CheckPlan, _ log: Log, _ deadline: Deadline)
    -> CameraCheck.Result
{
    var result = CameraCheck(settings: camera, statePath: plan.statePath, log: log).run()
    if let mac = plan.cameraMAC {
        result.findings = MovedCamera(settings: camera, mac: mac).withNewAddress(result.findings)
    }
    let trust = CameraTrust(camera, statePath: plan.statePath)
    let stream = StreamCheck(camera: camera, addresses: plan.streams, isNeeded: plan.relays, trust: trust)
    if result.isAccepted, let codec = stream.codec(deadline: deadline.sooner(.seconds(4))) {
        result.findings.append(codec)
    } else if !plan.streams.isEmpty {
        result.findings.append(.skipped("codec", "not tried, since no picture was taken"))
    }
    return result
}

extension CheckPlan {
    /// Whether the settings need ffmpeg for something.
    var needsFFmpeg: Bool {
        relays || camera?.kind.needsFFmpeg == true
    }
}
