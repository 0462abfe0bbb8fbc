import Glibc
import SnapshotBase
import SnapshotCamera
import SnapshotState
import SnapshotStore

/// A picture on its way to the store, and where it is now.
private struct PendingPicture {
    enum Status {
        case inMemory
        case spooled(SpoolName)
        /// Neither stored nor in the spool; the failure says why.
        case lost(Failure)
    }

    let picture: Picture
    /// The record before this picture was counted; `Spool.add` writes it when entries are dropped.
    let before: Record
    var status = Status.inMemory
}

/// Uploads a checked picture, or puts it into the spool.
extension Run {
    /// Uploads the picture. If the store doesn't acknowledge it, it goes into the spool.
    mutating func store(_ picture: Picture) {
        var pending = PendingPicture(picture: picture, before: record)
        let (time, quality) = CaptureClock.time(at: now, record.clock, timeService: CaptureClock.timeService())
        count(picture, at: time, quality)
        writeLatest(picture)
        var object = StoredObject(
            key: settings.keyTemplate.key(camera: settings.camera.name, at: time),
            content: .bytes(picture.bytes),
            capturedAt: time, camera: settings.camera.name, sha256: picture.sha256, clock: quality)
        let watch = settings.context.clock.stopwatch()
        do throws(Failure) {
            try put(&object, &pending)
            shot.outcome.storeMilliseconds = watch.elapsed.milliseconds
            countStored(pending)
            noteStored(at: object.capturedAt)
        } catch {
            keepUnstored(error, object, &pending)
        }
        shot.outcome.key = object.key
        shot.capturedAt = object.capturedAt.iso8601Milliseconds
    }

    /// Counts the picture as stored, and removes it from the spool.
    private mutating func countStored(_ pending: PendingPicture) {
        shot.outcome.result = .stored
        record.lastUpload = now.moment
        // The entry stays in the spool if it can't be removed, so a later drain uploads it again and counts it then.
        if case .spooled(let name) = pending.status, !spool.remove(name) { return }
        record.totalUploads += 1
    }

    /// Puts a picture that isn't stored into the spool, or counts it as lost if the spool can't take it.
    private mutating func keepUnstored(_ failure: Failure, _ object: StoredObject, _ pending: inout PendingPicture) {
        putIntoSpool(object, &pending)
        storeIsUp = false
        record.failedUploads += 1
        if case .lost(var why) = pending.status {
            spool.countLost()
            shot.outcome.result = .lost
            why.why += "; and before that: \(failure)"
            shot.failure = why
        } else {
            shot.outcome.result = .spooled
            shot.failure = failure.withPictureInSpool
        }
    }

    private mutating func count(_ picture: Picture, at time: Timestamp, _ quality: ClockQuality) {
        record.totalCaptures += 1
        record.lastNumber = SpoolName.next(after: record.lastNumber)
        record.lastCapture = now.moment
        record.pictures.add(
            scan: picture.scanDigest, bytes: picture.bytes.count, frozenAfter: settings.frozenAfter)
        record.clock.synced = quality == .trusted
        record.clock.latestMilliseconds = time.milliseconds
        shot.outcome.bytes = picture.bytes.count
        shot.outcome.width = picture.width
        shot.outcome.height = picture.height
        shot.sha256 = picture.sha256
    }

    /// Uploads the picture, with retries. After a failed attempt the picture is also in the spool, unless the request
    /// is only repeated with what the store asked for (`retryCorrected`).
    private mutating func put(_ object: inout StoredObject, _ pending: inout PendingPicture) throws(Failure) {
        if let failure = heldOffStore { throw failure }
        var store = settings.storeKind.open(client: client, record: record, now: now, statePath: settings.statePath)
        record.storeAddress = store.address.printable(limit: 160)
        if let wait = storePause { throw .paused(store.address, wait: wait) }
        // If the last run, whose outcome the record still has, couldn't store its picture, one attempt shows whether
        // the store is back, and keeps this run within the interval.
        let wasDown = record.outcome.result == .spooled || record.outcome.result == .lost
        var attempts = Attempts(
            RetryPolicy(
                attempts: wasDown ? 1 : settings.uploadAttempts, deadline: .after(settings.uploadDeadline)))
        var quota = record.retryQuota
        defer {
            record.retryQuota = quota
            shot.outcome.attempts = attempts.count
            noteLearned(from: store)
        }
        do throws(StoreFailure) {
            try putWithRetries(&object, into: &store, &attempts, quota: &quota, stop: settings.context.stop) {
                failure, object in
                log.verbose("attempt failed: \(failure.failure)")
                if let offset = failure.clockOffset { correct(&object, by: offset) }
                // Spool the picture before the pause, so that from here on a kill doesn't lose it.
                if failure.advice != .retryCorrected { putIntoSpool(object, &pending) }
            }
            noteCredentialsAccepted(by: "store")
            record.storePause = nil
        } catch {
            holdOffIfRefused(by: "store", error.failure)
            noteFailure(error)
            throw error.failure
        }
    }

    /// Puts the picture into the spool, unless an earlier failure has done so.
    private mutating func putIntoSpool(_ object: StoredObject, _ pending: inout PendingPicture) {
        guard case .inMemory = pending.status else { return }
        let entry = SpoolEntry(object, length: pending.picture.bytes.count, takenAt: now)
        do throws(Failure) {
            pending.status = .spooled(
                try spool.add(
                    entry, pending.picture.bytes, number: record.lastNumber,
                    within: settings.spoolBounds, before: pending.before, to: &state))
        } catch {
            pending.status = .lost(error)
        }
    }

    /// Corrects the picture's capture time by the store's clock, after the store refused a request for its wrong time.
    /// Does nothing if a time service vouches for our clock.
    private mutating func correct(_ object: inout StoredObject, by offset: Int64) {
        guard CaptureClock.timeService() != .synced else { return }
        object.capturedAt = now.wall.advanced(byMilliseconds: offset)
        object.key = settings.keyTemplate.key(camera: object.camera, at: object.capturedAt)
        object.clock = .corrected
        record.clock.latestMilliseconds = object.capturedAt.milliseconds
    }

    /// Copies into the record what the store's responses have shown: clock offset, region, and what its refusals asked
    /// for. The status of temporary credentials is copied, too.
    mutating func noteLearned(from store: any Store) {
        CaptureClock.learn(store.clockOffset, at: settings.context.clock.now(), &record.clock)
        if record.clock.offsetSeconds != 0 { record.clock.synced = false }
        record.region = store.learnedRegion
        record.learned = store.learned
        // The store no longer uses temporary credentials: delete them from the card.
        if store.credentials == nil, record.credentials != nil {
            removeFile(settings.statePath + "/" + CredentialsCache.fileName)
        }
        record.credentials = store.credentials
    }

    /// Writes the picture to the runtime directory, in RAM, for the status page; removes the last one if WEB_IMAGES is
    /// off.
    private func writeLatest(_ picture: Picture) {
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
    /// Adds to the hint of a refusal that the picture is in the spool; other failures stay as they are.
    fileprivate var withPictureInSpool: Failure {
        guard kind == .storeRefused, let hint else { return self }
        var failure = self
        failure.hint = hint + "; the picture waits in the spool"
        return failure
    }
}
