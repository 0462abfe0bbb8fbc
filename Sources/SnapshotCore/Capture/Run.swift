import SnapshotBase
import SnapshotState

/// One run under way: the record it will leave, and the steps that `Capture.run` lists.
struct Run {
    let settings: CaptureSettings
    let client: HTTPClient
    let log: Log
    let now: Now
    var record: Record
    var spool: Spool
    var memory: CameraMemory
    var shot = Shot(outcome: Outcome(result: .none))
    /// Whether the store took, or may still take, pictures in this run.
    var storeIsUp = true
    private let rememberedCamera: CameraMemory?
    private var pings = false

    init(_ settings: CaptureSettings, client: HTTPClient, log: Log, state: borrowing StateDirectory) {
        self.settings = settings
        self.client = client
        self.log = log
        now = .current()
        let isFirst = state.last == nil
        let isNewBoot = state.last?.boot != now.boot
        let name = settings.camera.name
        let interval = settings.interval.seconds
        record =
            state.last ?? Record(version: snapshotVersion, camera: name, now: now, intervalSeconds: interval)
        record.begin(
            now: now, version: snapshotVersion, camera: name, intervalSeconds: interval,
            isRepeating: settings.isRepeating)
        let remembered = CameraMemory(reading: settings.statePath)
        rememberedCamera = remembered
        memory = (remembered ?? CameraMemory()).belonging(to: settings.camera.place)
        if let reason = state.resetReason {
            record.stateReset = now.moment
            log.warn("the state was damaged (\(reason)); it is kept as state.jsonl.bad and begins anew")
        } else if state.wasMissing, remembered != nil {
            record.stateReset = now.moment
            log.warn("state.jsonl is gone; the counters begin anew")
        }
        spool = Spool(statePath: settings.statePath, figures: record.spool)
        spool.sweep()
        // After a boot too: a power cut may have taken the mark.
        if spool.isDirty || isFirst || isNewBoot {
            record.reconcile(with: spool.list())
            spool.figures = record.spool
            spool.noteOldest()
        }
    }

    // MARK: Capture

    /// A picture that has passed the gate, or nil and the failure in `shot`.
    mutating func capture() -> Picture? {
        let credentials = memory.digest(
            "\(settings.camera.place) \(settings.camera.username) \(settings.camera.password)")
        if let wait = record.latches["camera"]?.remaining(
            settings: credentials, now: now, recordBoot: record.boot)
        {
            shot.outcome.result = .latched
            shot.failure = .latched(.cameraRefused, "camera", settings.camera.address, wait: wait)
            return nil
        }
        let started = Uptime.now()
        defer { shot.outcome.cameraMilliseconds = (Uptime.now() - started).milliseconds }
        do throws(Failure) {
            let picture = try takePicture()
            record.latches["camera"] = nil
            return picture
        } catch {
            shot.outcome.result = .captureFailed
            shot.failure = error
            record.captureFailures += 1
            if error.kind == .cameraRefused, error.code == "camera-credentials" {
                record.latches["camera"] = .after(record.latches["camera"], settings: credentials, now: now)
            }
            return nil
        }
    }

    private mutating func takePicture() throws(Failure) -> Picture {
        defer { rememberCamera() }
        var camera = makeCamera(settings.camera, client: client, log: log)
        let body = try camera.snapshot(memory: &memory, deadline: .after(settings.camera.timeout))
        do throws(JPEG.Flaw) { return try Picture(checking: body) } catch {
            log.verbose("refused body begins: \(escapedStart(of: body))")
            throw .badPicture(error, settings.camera)
        }
    }

    private func rememberCamera() {
        guard memory != rememberedCamera else { return }
        do throws(SystemError) { try memory.write(to: settings.statePath) } catch {
            log.verbose("cannot remember the camera's session: \(error)")
        }
    }

    // MARK: Store

    /// Puts the picture into the store; what the store doesn't take goes into the spool.
    mutating func store(_ picture: Picture, _ state: inout StateDirectory) {
        let (time, quality) = CaptureClock.time(at: now, record.clock, keeper: CaptureClock.keeper())
        count(picture, at: time, quality)
        keepLatest(picture)
        var object = StoredObject(
            key: settings.keyTemplate.key(camera: settings.camera.name, at: time),
            content: .bytes(picture.bytes),
            capturedAt: time, camera: settings.camera.name, sha256: picture.sha256, clock: quality)
        let started = Uptime.now()
        do throws(Failure) {
            try put(&object, picture, &state)
            shot.outcome.result = .stored
            shot.outcome.storeMilliseconds = (Uptime.now() - started).milliseconds
            record.totalUploads += 1
            record.lastUpload = now.moment
        } catch {
            shot.failure = error
            storeIsUp = false
            record.failedUploads += 1
        }
        shot.outcome.key = object.key
        shot.capturedAt = object.capturedAt.iso8601Milliseconds
    }

    private mutating func count(_ picture: Picture, at time: Timestamp, _ quality: ClockQuality) {
        record.totalCaptures += 1
        record.lastNumber += 1
        record.lastCapture = now.moment
        record.pictures.note(
            scan: picture.scanDigest, bytes: picture.bytes.count, frozenAfter: settings.frozenAfter)
        record.clock.synced = quality == .synced
        record.clock.latestMilliseconds = time.milliseconds
        shot.outcome.bytes = picture.bytes.count
        shot.outcome.width = picture.width
        shot.outcome.height = picture.height
        shot.sha256 = picture.sha256
    }

    private mutating func put(
        _ object: inout StoredObject, _ picture: Picture, _ state: inout StateDirectory
    ) throws(Failure) {
        var spooled: SpoolName?
        var spoolFailure: Failure?
        let keep = { (run: inout Run, object: StoredObject, state: inout StateDirectory) in
            guard spooled == nil, spoolFailure == nil else { return }
            do throws(Failure) { spooled = try run.addToSpool(object, picture, &state) } catch {
                spoolFailure = error
            }
        }
        do throws(Failure) {
            try attempt(&object) { failure, object, run in
                // Before the first pause: from here on only the spool could lose it.
                if failure.advice != .signAgain { keep(&run, object, &state) }
            }
            // What can't be removed is sent, and counted, once more.
            if let spooled, !spool.remove(spooled) { record.totalUploads -= 1 }
        } catch {
            keep(&self, object, &state)
            if let spoolFailure {
                spool.figures.dropped += 1
                spool.figures.lastDrop = now.moment
                shot.outcome.result = .lost
                log.verbose("the store failed first: \(error)")
                throw spoolFailure
            }
            shot.outcome.result = .spooled
            throw error
        }
    }

    /// The attempts at the store. `onFailure` is called after each that failed.
    private mutating func attempt(
        _ object: inout StoredObject, onFailure: (StoreFailure, StoredObject, inout Run) -> Void
    ) throws(Failure) {
        let credentials = memory.digest(settings.store.fingerprint)
        if let wait = record.latches["store"]?.remaining(
            settings: credentials, now: now, recordBoot: record.boot)
        {
            throw .latched(.storeRefused, "store", "", wait: wait)
        }
        var store = makeStore(
            settings.store, client: client, record: record, now: now, statePath: settings.statePath)
        // While the store is down one attempt a run is enough to see it come back, and keeps the cadence.
        let wasDown = record.outcome.result == .spooled || record.outcome.result == .lost
        let policy = RetryPolicy(
            attempts: wasDown ? 1 : settings.uploadAttempts, deadline: .after(settings.uploadDeadline))
        var quota = record.retryQuota
        var attempts = 0
        defer {
            record.retryQuota = quota
            shot.outcome.attempts = attempts
            note(store)
        }
        do throws(StoreFailure) {
            try SnapshotCore.put(&object, into: &store, policy, quota: &quota, attempts: &attempts) {
                failure, object in
                log.verbose("attempt failed: \(failure.failure)")
                if let offset = failure.clockOffset { correct(&object, by: offset) }
                onFailure(failure, object, &self)
            }
            record.latches["store"] = nil
        } catch {
            if error.failure.kind == .storeRefused {
                record.latches["store"] = .after(record.latches["store"], settings: credentials, now: now)
            }
            throw error.failure
        }
    }

    /// The store has told the time before it took the picture: the picture gets the right one.
    private mutating func correct(_ object: inout StoredObject, by offset: Int64) {
        object.capturedAt = now.wall.advanced(byMilliseconds: offset)
        object.key = settings.keyTemplate.key(camera: object.camera, at: object.capturedAt)
        object.clock = .corrected
        record.clock.latestMilliseconds = object.capturedAt.milliseconds
    }

    mutating func note(_ store: any Store) {
        CaptureClock.learn(store.clockOffset, at: .current(), &record.clock)
        if record.clock.offsetSeconds != 0 { record.clock.synced = false }
        if let region = store.learnedRegion { record.region = region }
    }

    private mutating func addToSpool(
        _ object: StoredObject, _ picture: Picture, _ state: inout StateDirectory
    ) throws(Failure) -> SpoolName {
        let entry = SpoolEntry(
            key: object.key, capturedAt: object.capturedAt.milliseconds, camera: object.camera,
            sha256: object.sha256, clock: object.clock, contentType: object.contentType,
            length: picture.bytes.count, boot: now.boot, up: now.up)
        var commit = record
        return try spool.add(
            entry, picture.bytes, number: record.lastNumber, maxBytes: settings.spoolMaxBytes,
            minFree: settings.spoolMinFree
        ) { figures in
            // The record of this run comes later; what is given up is told before it goes.
            commit.spool = figures
            commit.totalCaptures -= 1
            commit.lastNumber -= 1
            try? state.write(commit)
        }
    }

    /// For the live page: in RAM, not on the card.
    private func keepLatest(_ picture: Picture) {
        guard let directory = settings.latestDirectory else { return }
        let path = directory + "/latest.jpg"
        try? writeDurably([picture.bytes], to: path, temporary: path + ".new", mode: 0o640)
    }

    // MARK: Record

    /// Completes the record.
    mutating func finish() {
        let code = shot.failure?.code
        shot.outcome.code = code
        let isStored = shot.failure == nil
        shot.recoveredAfter = isStored ? record.consecutiveFailures : 0
        record.consecutiveFailures = isStored ? 0 : record.consecutiveFailures + 1
        if let code {
            record.lastError = ErrorReport(code: code, moment: now.moment)
            let told = record.told
            let isOld = told.map { now.age(of: $0.moment, recordBoot: record.boot) >= 3600 } ?? true
            shot.isNews = told?.code != code || isOld
            if shot.isNews { record.told = ErrorReport(code: code, moment: now.moment) }
        } else {
            record.told = nil
        }
        record.countHour(
            now: now, captured: shot.sha256 != nil,
            uploadMilliseconds: shot.outcome.result == .stored ? shot.outcome.storeMilliseconds : nil)
        spool.noteOldestIfNeeded(previous: record.spool)
        spool.syncRemovals()
        record.spool = spool.figures
        record.outcome = shot.outcome
        record.written = now.moment
        pings =
            settings.pingURL != nil
            && record.lastPing.map { now.age(of: $0, recordBoot: record.boot) >= 60 } ?? true
        if pings { record.lastPing = now.moment }
    }

    /// Tells the dead man's switch how the run ended; whether it hears is its own affair.
    func ping() {
        guard pings, let url = settings.pingURL else { return }
        let target = shot.exitCode == 0 ? url : url + (url.hasSuffix("/") ? "fail" : "/fail")
        var request = HTTPRequest("GET", target, deadline: .after(.seconds(5)))
        request.connectTimeout = .seconds(3)
        do throws(HTTPFailure) { _ = try client.perform(request) } catch {
            log.verbose("PING_URL did not answer: \(error.why)")
        }
    }
}

extension Failure {
    static func latched(_ kind: Kind, _ what: String, _ which: String, wait: Double) -> Failure {
        Failure(
            kind, code: "\(what)-credentials", "\(what) refused the credentials",
            which.isEmpty ? "earlier" : which,
            why: "they are tried again in \(inWords(Int(wait.rounded(.up))))",
            hint: "correct them: changed settings are tried at once")
    }
}
