import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotState

/// One run under way: the record it will leave, and the steps that `Capture.run` lists. It holds the state's lock.
struct Run: ~Copyable {
    let settings: CaptureSettings
    let client: HTTPClient
    let log: Log
    let now: Now
    var state: StateDirectory
    var record: Record
    var spool: Spool
    var memory: CameraMemory
    var shot = Shot(outcome: Outcome(result: .none))
    /// Whether the store took, or may still take, pictures in this run.
    var storeIsUp = true
    private let rememberedCamera: CameraMemory?
    /// Whether the dead man's switch is to hear of it.
    private(set) var pings = false

    init(_ settings: CaptureSettings, client: HTTPClient, log: Log, state: consuming StateDirectory) {
        // Whole values first, and each assigned once: the optimizer of Swift 6.2 and 6.3 destroys what isn't there yet where
        // a value that can't be copied changes before it is complete.
        let now = settings.context.clock.now()
        let name = settings.camera.name
        let interval = settings.interval.seconds
        let path = settings.statePath
        var record =
            state.last ?? Record(version: snapshotVersion, camera: name, now: now, intervalSeconds: interval)
        // After a boot too: a power cut may have taken the mark. And what a lost record told is to be found in the spool.
        let isDoubtful = state.last == nil || record.boot != now.boot || state.hasLostRecords
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
        spool = Spool(statePath: path, record: &record, isDoubtful: isDoubtful, clock: settings.context.clock) {
            error in
            log.warn("cannot read the spool of \(path), what is in it waits: \(error)")
        }
        self.settings = settings
        self.client = client
        self.log = log
        self.now = now
        self.record = record
        rememberedCamera = remembered
        memory = (remembered ?? CameraMemory()).belonging(to: settings.camera.place)
        self.state = state
        client.uploadTimeouts = uploadTimeouts
    }

    // MARK: Capture

    /// A picture that has passed the gate, or nil and the failure in `shot`.
    mutating func capture() -> Picture? {
        let started = Uptime.now()
        defer { shot.outcome.cameraMilliseconds = (Uptime.now() - started).milliseconds }
        do throws(Failure) {
            let picture = try takePicture()
            endHoldOff("camera")
            return picture
        } catch {
            shot.outcome.result = .captureFailed
            shot.failure = error
            record.captureFailures += 1
            if error.code == .camera(.credentials) { holdOff("camera", after: error) }
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
            // One more open session at every run, and the camera lets nobody in.
            if memory.session != rememberedCamera?.session { camera.endSession(&memory) }
        }
    }

    // MARK: Record

    /// Completes the record.
    mutating func complete() {
        let code = shot.failure?.code
        shot.outcome.code = code
        let isStored = shot.failure == nil
        shot.recoveredAfter = isStored ? record.consecutiveFailures : 0
        if let failure = shot.failure {
            // A run that doesn't even ask has no reason of its own.
            record.countFailure(
                failure, now: now, why: shot.outcome.result == .skipped ? record.lastError?.why : nil)
            shot.isNews = record.isNews(failure.code, now: now)
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
        record.due = postponement
        record.written = now.moment
        pings =
            settings.pingURL != nil
            && record.lastPing.map { now.age(of: $0, recordBoot: record.boot) >= 60 } ?? true
        if pings { record.lastPing = now.moment }
    }

    /// - Returns: what went to and came from others than the camera.
    @discardableResult
    mutating func countTraffic() -> TrafficFigures {
        let (camera, others) = client.takeTraffic()
        record.countTraffic(
            camera: (camera.sent, camera.received), others: (others.sent, others.received), now: now)
        return others
    }

    /// Writes the record, with what became of the spool; the lock and the mark of the run go.
    consuming func commit(_ mark: RunMark) -> Shot {
        // Out of `self`, which Swift 6.2 doesn't change while a part of it is consumed.
        var (record, shot) = (record, shot)
        var state = state
        do throws(Failure) { try spool.commit(&record, to: &state) } catch { shot.stateFailure = error }
        mark.remove()
        return shot
    }

    /// The same for a run without a shot.
    consuming func commit() throws(Failure) {
        countTraffic()
        var record = record
        var state = state
        record.written = settings.context.clock.now().moment
        try spool.commit(&record, to: &state)
    }
}

extension Failure {
    static func resting(_ place: String, wait: Double) -> Failure {
        Failure(
            .store(.busy), "store is busy", place,
            why: "it asked to be left alone; it is tried again in \(inWords(Int(wait.rounded(.up))))")
    }

    static func heldOff(_ code: Code, _ what: String, _ which: String, wait: Double) -> Failure {
        guard code != .store(.credentialProcess) else {
            return Failure(
                code, "credential_process failed", "earlier",
                why: "it is run again in \(inWords(Int(wait.rounded(.up))))",
                hint: "snapshot check   # runs it at once; changed settings are tried at once, too")
        }
        return Failure(
            code, "\(what) refused the credentials",
            which.isEmpty ? "earlier" : which,
            why: "they are tried again in \(inWords(Int(wait.rounded(.up))))",
            hint: "correct them: changed settings are tried at once")
    }
}
