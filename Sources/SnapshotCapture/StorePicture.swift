import Glibc
import SnapshotBase
import SnapshotCamera
import SnapshotState
import SnapshotStore

/// The way of a picture that has passed the gate: into the store, or into the spool.
extension Run {
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
        record.lastNumber = SpoolName.next(after: record.lastNumber)
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
            if var spoolFailure {
                spool.figures.dropped += 1
                spool.figures.lastDrop = now.moment
                shot.outcome.result = .lost
                spoolFailure.why += "; and before that: \(error)"
                throw spoolFailure
            }
            shot.outcome.result = .spooled
            throw error.withPictureInSpool
        }
    }

    /// The attempts at the store. `onFailure` is called after each that failed.
    private mutating func attempt(
        _ object: inout StoredObject, onFailure: (StoreFailure, StoredObject, inout Run) -> Void
    ) throws(Failure) {
        if let wait = latch("store") { throw .latched(.store(.credentials), "store", "", wait: wait) }
        var store = settings.store.open(client: client, record: record, now: now, statePath: settings.statePath)
        if let wait = storeRest { throw .resting(store.place, wait: wait) }
        // While the store is down one attempt a run is enough to see it come back, and keeps the cadence.
        let wasDown = record.outcome.result == .spooled || record.outcome.result == .lost
        var attempts = Attempts(
            RetryPolicy(
                attempts: wasDown ? 1 : settings.uploadAttempts, deadline: .after(settings.uploadDeadline)))
        var quota = record.retryQuota
        defer {
            record.retryQuota = quota
            shot.outcome.attempts = attempts.count
            note(store)
        }
        do throws(StoreFailure) {
            try SnapshotStore.put(&object, into: &store, &attempts, quota: &quota) {
                failure, object in
                log.verbose("attempt failed: \(failure.failure)")
                if let offset = failure.clockOffset { correct(&object, by: offset) }
                onFailure(failure, object, &self)
            }
            unlatch("store")
            record.storeRest = nil
        } catch {
            latch("store", after: error.failure)
            rest(after: error)
            throw error.failure
        }
    }

    /// The store has told the time before it took the picture: the picture gets the right one, unless it has it.
    private mutating func correct(_ object: inout StoredObject, by offset: Int64) {
        guard CaptureClock.keeper() != .synced else { return }
        object.capturedAt = now.wall.advanced(byMilliseconds: offset)
        object.key = settings.keyTemplate.key(camera: object.camera, at: object.capturedAt)
        object.clock = .corrected
        record.clock.latestMilliseconds = object.capturedAt.milliseconds
    }

    mutating func note(_ store: any Store) {
        CaptureClock.learn(store.clockOffset, at: .current(), &record.clock)
        if record.clock.offsetSeconds != 0 { record.clock.synced = false }
        record.region = store.learnedRegion
        record.store = store.learned
    }

    private mutating func addToSpool(
        _ object: StoredObject, _ picture: Picture, _ state: inout StateDirectory
    ) throws(Failure) -> SpoolName {
        let entry = SpoolEntry(object, length: picture.bytes.count, takenAt: now)
        var commit = record
        return try spool.add(
            entry, picture.bytes, number: record.lastNumber, maxBytes: settings.spoolMaxBytes,
            minFree: settings.spoolMinFree
        ) { figures in
            // The record of this run comes later; what is given up is told before it goes.
            commit.spool = figures
            commit.totalCaptures -= 1
            commit.lastNumber = max(0, commit.lastNumber - 1)
            try? state.write(commit)
        }
    }

    /// For the live page: in RAM, not on the card. Once it is switched off, the last one goes.
    private func keepLatest(_ picture: Picture) {
        guard let directory = settings.runtimeDirectory else { return }
        let path = directory + "/latest.jpg"
        guard settings.showsPictures else {
            unlink(path)
            return
        }
        try? writeDurably([picture.bytes], to: path, temporary: path + ".new", mode: 0o640, isServed: true)
    }
}

extension Failure {
    /// The store's refusal as it is told where the picture has reached the spool.
    fileprivate var withPictureInSpool: Failure {
        guard kind == .storeRefused, let hint else { return self }
        var failure = self
        failure.hint = hint + "; the picture waits in the spool"
        return failure
    }
}
