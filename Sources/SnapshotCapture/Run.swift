import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotState

/// One run in progress: the steps that `Capture.run` lists, and the record that they fill in. It holds the state's
/// lock.
struct Run: ~Copyable {
    let settings: CaptureSettings
    let client: HTTPClient
    let log: Log
    /// When the run began.
    let now: Now
    var state: StateDirectory
    /// The last run's record at first; what this run does is entered step by step.
    var record: Record
    var spool: Spool
    /// What earlier runs learned of the camera, such as its session's token.
    var memory: CameraMemory
    var shot = Shot(outcome: Outcome(result: .none))
    /// False once this run couldn't store its picture; the spool isn't drained then.
    var storeIsUp = true
    /// `memory` as it was read: it is written only if it has changed.
    private let rememberedCamera: CameraMemory?
    /// Whether this run requests PING_URL, which happens once a minute at most.
    private(set) var requestsPing = false

    init(_ settings: CaptureSettings, client: HTTPClient, log: Log, state: consuming StateDirectory) {
        // Build complete locals and assign each property once: the optimiser of Swift 6.2 and 6.3 destroys
        // uninitialised storage where a noncopyable value changes before it is complete.
        let now = settings.context.clock.now()
        let name = settings.camera.name
        let interval = settings.interval.seconds
        let path = settings.statePath
        var record =
            state.last ?? Record(version: snapshotVersion, camera: name, now: now, intervalSeconds: interval)
        // After a reboot recount the spool even without its marker, which a power cut may have lost. Recount it also
        // where records were lost: only the folder then shows what the spool holds.
        let recounts = state.last == nil || record.boot != now.boot || state.hasLostRecords
        record.begin(
            now: now, version: snapshotVersion, camera: name, intervalSeconds: interval,
            isRepeating: settings.isRepeating)
        let remembered = CameraMemory(reading: path)
        if let reason = state.resetReason {
            record.stateReset = now.moment
            log.warn(reason)
        } else if state.wasMissing, remembered != nil {
            record.stateReset = now.moment
            log.warn("state.jsonl is gone; the counters begin anew")
        }
        spool = Spool(statePath: path, record: &record, recounts: recounts, clock: settings.context.clock) {
            error in
            log.warn("cannot read the spool in \(path), so its pictures stay there: \(error)")
        }
        self.settings = settings
        self.client = client
        self.log = log
        self.now = now
        self.record = record
        rememberedCamera = remembered
        memory = (remembered ?? CameraMemory()).belonging(to: settings.camera.identity)
        self.state = state
        client.uploadTimeouts = uploadTimeouts
    }

    // MARK: Capture

    /// Takes a picture from the camera and checks it. Returns nil on failure, which is then in `shot`.
    mutating func capture() -> Picture? {
        let watch = settings.context.clock.stopwatch()
        defer { shot.outcome.cameraMilliseconds = watch.elapsed.milliseconds }
        do throws(Failure) {
            let picture = try takePicture()
            noteCredentialsAccepted(by: "camera")
            return picture
        } catch {
            shot.outcome.result = .captureFailed
            shot.failure = error
            record.captureFailures += 1
            // A changed TLS key and unreadable pins have the kind `cameraRefused`, too, but refuse no credentials.
            if error.code == .camera(.credentials) { holdOffIfRefused(by: "camera", error) }
            return nil
        }
    }

    private mutating func takePicture() throws(Failure) -> Picture {
        let trust = CameraTrust(settings.camera, statePath: settings.statePath)
        var camera = makeCamera(settings.camera, client: client, trust: trust, log: log)
        defer { remember(camera) }
        let body = try camera.snapshot(memory: &memory, deadline: .after(settings.camera.timeout))
        do throws(JPEG.Flaw) { return try Picture(checking: body) } catch {
            log.verbose("refused body begins: \(escapedStart(of: body))")
            throw .badPicture(error, settings.camera)
        }
    }

    private mutating func remember(_ camera: any Camera) {
        guard memory != rememberedCamera else { return }
        do throws(Failure) { try memory.write(to: settings.statePath) } catch {
            log.verbose("cannot remember the camera's session: \(error)")
            // The session's token can't be saved, so log out: otherwise every run would leave a session open until the
            // camera has none free.
            if memory.session != rememberedCamera?.session { camera.endSession(&memory) }
        }
    }

    // MARK: Record

    /// Fills in the rest of the record: the run's outcome, the failure counters, the hour's sums, traffic, and whether
    /// this run requests PING_URL.
    mutating func complete() {
        let code = shot.failure?.code
        shot.outcome.code = code
        let isStored = shot.failure == nil
        shot.recoveredAfter = isStored ? record.consecutiveFailures : 0
        if let failure = shot.failure {
            // A skipped run doesn't ask the camera, so it keeps the reason of the last failure.
            record.countFailure(
                failure, now: now, why: shot.outcome.result == .skipped ? record.lastError?.why : nil)
            shot.isNews = record.noteReport(of: failure.code, now: now)
        } else {
            record.consecutiveFailures = 0
            record.lastReported = nil
        }
        record.countHour(
            now: now, captured: shot.sha256 != nil,
            uploadMilliseconds: shot.outcome.result == .stored ? shot.outcome.storeMilliseconds : nil)
        let traffic = countTraffic()
        if traffic.sent > 0 || traffic.received > 0 {
            (shot.outcome.sent, shot.outcome.received) = (traffic.sent, traffic.received)
        }
        record.outcome = shot.outcome
        record.postponement = postponement
        record.written = now.moment
        requestsPing =
            settings.pingURL != nil
            && record.lastPing.map { now.age(of: $0, recordBoot: record.boot) >= 60 } ?? true
        if requestsPing { record.lastPing = now.moment }
    }

    /// Adds this run's traffic to the record.
    /// - Returns: the bytes sent to and received from everything but the camera.
    @discardableResult
    mutating func countTraffic() -> TrafficFigures {
        let (camera, others) = client.takeTraffic()
        record.countTraffic(
            camera: (camera.sent, camera.received), others: (others.sent, others.received), now: now)
        return others
    }

    /// Commits the spool and writes the record, then removes the run's marker. The lock is released at the end.
    consuming func commit(_ marker: RunMarker) -> Shot {
        // Copied out of `self`, which Swift 6.2 can't change while one of its parts (the spool) is consumed.
        var (record, shot) = (record, shot)
        var state = state
        do throws(Failure) { try spool.commit(&record, to: &state) } catch { shot.stateFailure = error }
        marker.remove()
        return shot
    }

    /// Commits the spool and writes the record of a run that takes no picture (`snapshot drain`).
    consuming func commit() throws(Failure) {
        countTraffic()
        var record = record
        var state = state
        record.written = settings.context.clock.now().moment
        try spool.commit(&record, to: &state)
    }
}

extension Failure {
    /// The store responded with `Retry-After`, which is still running for `wait` seconds.
    static func paused(_ address: String, wait: Double) -> Failure {
        Failure(
            .store(.busy), "store is busy", address,
            why: "it asked for a pause; it is tried again in \(inWords(Int(wait.rounded(.up))))")
    }

    /// Credentials that were refused earlier aren't tried for another `wait` seconds; see `Run.holdOffIfRefused`.
    static func heldOff(_ code: Code, _ what: String, _ which: String, wait: Double) -> Failure {
        guard code != .store(.credentialProcess) else {
            return Failure(
                code, "credential_process failed", "earlier",
                why: "it is run again in \(inWords(Int(wait.rounded(.up))))",
                hint: "snapshot check   # runs it at once; changed settings are tried at once, too")
        }
        return Failure(
            code, (which.isEmpty ? what : "\(what) \(which)") + " refused the credentials", "earlier",
            why: "they are tried again in \(inWords(Int(wait.rounded(.up))))",
            hint: "correct them: changed settings are tried at once")
    }
}
