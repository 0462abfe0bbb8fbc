import SnapshotBase
import SnapshotHTTP
import SnapshotKeys
import SnapshotState
import SnapshotStore

extension Run {
    /// How many entries one run may skip because the store doesn't take them.
    private static let mostSkipped = 3

    /// Uploads pictures from the spool, oldest first, until the deadline or until the store fails.
    mutating func drain(until deadline: Deadline) {
        guard storeIsUp, spool.figures.count > 0, heldOffSeconds("store") == nil, storePause == nil else { return }
        var store = settings.storeKind.open(client: client, record: record, now: now, statePath: settings.statePath)
        var drained = 0
        var skipped = 0
        var slowest = Duration.milliseconds(max(20, shot.outcome.storeMilliseconds ?? 0))
        // The store rejected entries up to `rejected.last` within the last hour, so begin after them.
        let rejected = spool.figures.rejected.flatMap {
            now.age(of: $0.since, recordBoot: record.boot) < 3600 ? $0 : nil
        }
        var after = rejected?.last ?? -1
        defer { if drained > 0 { shot.outcome.drained = drained } }
        while skipped < Self.mostSkipped {
            let names: [SpoolName]
            do throws(SystemError) { names = try spool.oldest(after: after) } catch {
                return log.warn("cannot read the spool \(spool.path), so its pictures stay there: \(error)")
            }
            guard let last = names.last else { return }
            after = last.number
            for name in names {
                // Start no upload that is likely to pass the deadline, judged by the slowest one so far.
                guard slowest < deadline.left, !settings.context.stop.isMade else { return }
                let watch = settings.context.clock.stopwatch()
                guard let object = object(name) else { continue }
                if isOvertaken(object) {
                    guard spool.supersede(name) else { return }
                    continue
                }
                do throws(StoreFailure) {
                    try put(waiting: object, into: &store, deadline)
                    guard spool.remove(name) else {
                        log.warn("\(object.key) is stored but can't be removed from the spool")
                        return
                    }
                    drained += 1
                    record.totalUploads += 1
                    record.lastUpload = now.moment
                    noteCredentialsAccepted(by: "store")
                } catch {
                    log.verbose("\(object.key) stays in the spool: \(error.failure)")
                    noteLearned(from: store)
                    holdOffIfRefused(by: "store", error.failure)
                    noteFailure(error)
                    // Go on where only this object may be at fault, so that it doesn't block the others.
                    guard error.scope != .store, storePause == nil else { return }
                    skipped += 1
                    if skipped == Self.mostSkipped {
                        // Later runs skip the entries up to here until an hour after the first of these rejections.
                        spool.skipRejected(RejectedEntries(last: name.number, since: rejected?.since ?? now.moment))
                        return
                    }
                }
                slowest = max(slowest, watch.elapsed)
            }
        }
    }

    /// Uploads a picture from the spool. If the store can't take its key (a file name that is too long, for example),
    /// it is tried under the key that KEY_TEMPLATE gives now, which may have been corrected since.
    private func put(
        waiting object: StoredObject, into store: inout any Store, _ deadline: Deadline
    ) throws(StoreFailure) {
        do throws(StoreFailure) { try store.put(object, deadline: deadline, reusesConnection: true) } catch {
            guard error.refusesKey, let renamed = object.renamed(by: settings.keyTemplate) else { throw error }
            try store.put(renamed, deadline: deadline, reusesConnection: true)
        }
    }

    /// Like `Spool.object`, but doesn't throw. It returns nil for an entry that is gone or damaged, which it
    /// quarantines, and for one that can't be read now, which stays; both with a warning.
    private mutating func object(_ name: SpoolName) -> StoredObject? {
        do throws(SystemError) {
            let found = try spool.object(name, template: settings.keyTemplate, now: now, clock: record.clock)
            if let found { return found }
            spool.quarantine(name, log)
        } catch {
            log.warn("spooled picture \(name.number) can't be read now: \(error)")
        }
        return nil
    }
}

extension Spool {
    /// The object to upload for a spool entry; nil where it is gone or damaged.
    /// - Throws: where it can't be read now; the entry stays in the spool.
    mutating func object(
        _ name: SpoolName, template: KeyTemplate, now: Now, clock: ClockFigures
    ) throws(SystemError) -> StoredObject? {
        guard let (entry, file) = try open(name) else { return nil }
        return entry.object(
            .file(file, offset: 0, length: entry.length), template: template, now: now, clock: clock)
    }
}

extension SpoolEntry {
    /// The object to upload. A capture time from an unsynchronised clock is corrected if the right time of the same
    /// boot is known by now.
    func object(_ content: HTTPBody, template: KeyTemplate, now: Now, clock figures: ClockFigures)
        -> StoredObject
    {
        var object = StoredObject(
            key: key, content: content, contentType: contentType,
            capturedAt: Timestamp(milliseconds: capturedAt),
            camera: camera, sha256: sha256, clock: clock)
        object.isLate = true
        guard clock == .untrusted, boot == now.boot, !boot.isEmpty else { return object }
        let (time, quality) = CaptureClock.time(at: now, figures, timeService: CaptureClock.timeService())
        guard quality != .untrusted else { return object }
        object.capturedAt = time.advanced(byMilliseconds: Int64(Int(bounded: (up - now.up) * 1000)))
        object.key = template.key(camera: camera, at: object.capturedAt)
        object.clock = .corrected
        return object
    }
}
