import SnapshotBase
import SnapshotCamera
import SnapshotState
import SnapshotStore

/// The pictures that a drain has yet to upload, and the counts of those it is done with.
struct DrainQueue: ~Copyable {
    struct Waiting {
        let name: SpoolName
        var object: StoredObject
    }

    var run: Run
    var result: DrainAll.Result {
        var result = counted
        result.left = run.spool.figures.count
        return result
    }
    /// The retry policy for one picture. Transfers at the same time share the bandwidth, so the deadline is multiplied
    /// by their number.
    func policy(of transfers: Int = 1) -> RetryPolicy {
        RetryPolicy(attempts: run.settings.uploadAttempts, deadline: .after(run.settings.uploadDeadline * transfers))
    }

    private var remaining: ArraySlice<SpoolName>
    private var counted: DrainAll.Result
    /// Consecutive failures that may be due to one object or to the store (`StoreFailure.Scope.unclear`).
    private var unclear: Int
    private let total: Int
    private let progress: (_ sent: Int, _ all: Int) -> Void

    init(_ run: consuming Run, _ progress: @escaping (_ sent: Int, _ all: Int) -> Void) throws(Failure) {
        let all: [SpoolName]
        do throws(SystemError) { all = try run.spool.list() } catch {
            throw Failure(.own(.spoolRead), "cannot read spool", run.spool.path, why: "\(error)", cause: error)
        }
        // Entries that the store rejected come last. Because of the compiler's bug in `Run.init`, properties are
        // assigned only after the last call that can throw.
        let rejected = run.spool.figures.rejected?.last ?? -1
        remaining = (all.filter { $0.number > rejected } + all.filter { $0.number <= rejected })[...]
        counted = DrainAll.Result()
        unclear = 0
        total = all.count
        self.progress = progress
        self.run = run
    }

    /// Commits the spool and writes the record, which keeps the last capture's outcome.
    consuming func commit() throws(Failure) -> DrainAll.Result {
        let result = result
        try run.commit()
        return result
    }

    /// The next picture; damaged entries are quarantined, overtaken ones removed. nil at the end, and once the program
    /// is asked to end.
    mutating func next() -> Waiting? {
        while !run.settings.context.stop.isMade, let name = remaining.popFirst() {
            do throws(SystemError) {
                if let object = try object(of: name) {
                    guard run.isOvertaken(object) else { return Waiting(name: name, object: object) }
                    run.spool.supersede(name)
                    continue
                }
                run.spool.quarantine(name, run.log)
            } catch {
                failed(.spool(.own(.spoolRead), "read", name, in: run.spool.path, why: "\(error)"), stops: false)
            }
        }
        return nil
    }

    /// Reads the picture's object again, with its capture time corrected by what is known of the clock now.
    mutating func renew(_ picture: inout Waiting) {
        if let object = try? object(of: picture.name) { picture.object = object }
    }

    private mutating func object(of name: SpoolName) throws(SystemError) -> StoredObject? {
        try run.spool.object(name, template: run.settings.keyTemplate, now: run.now, clock: run.record.clock)
    }

    /// Removes an uploaded picture from the spool and counts it.
    mutating func sent(_ picture: Waiting) {
        guard run.spool.remove(picture.name) else {
            // The entry stays in the spool and will be uploaded again. Stop here, so that it is the only one.
            let why = "it is stored as \(picture.object.key), and will be sent again"
            return failed(.spool(.own(.spoolRemove), "remove", picture.name, in: run.spool.path, why: why), stops: true)
        }
        run.record.totalUploads += 1
        run.record.lastUpload = run.settings.context.clock.now().moment
        run.record.storePause = nil
        unclear = 0
        counted.sent += 1
        progress(counted.sent, total)
    }

    /// Notes that a picture wasn't uploaded, and ends the drain if the store is at fault: at once, or after three
    /// unclear failures.
    mutating func failed(_ failure: StoreFailure) {
        run.noteFailure(failure)
        switch failure.scope {
        case .object: failed(failure.failure, stops: false)
        case .unclear:
            unclear += 1
            failed(failure.failure, stops: unclear == 3)
        case .store: failed(failure.failure, stops: true)
        }
    }

    private mutating func failed(_ failure: Failure, stops: Bool) {
        // Keep the first failure, or the one that stops the drain. A refusal of credentials is never replaced: it
        // starts a hold-off.
        if counted.failure == nil || stops, counted.failure?.kind != .storeRefused { counted.failure = failure }
        if stops { remaining = [] }
    }

    mutating func sendOneByOne(into store: inout any Store) {
        while var picture = next() {
            do throws(StoreFailure) {
                do throws(StoreFailure) { try send(&picture, into: &store) } catch {
                    guard error.refusesKey, let renamed = picture.object.renamed(by: run.settings.keyTemplate) else {
                        throw error
                    }
                    picture.object = renamed
                    try send(&picture, into: &store)
                }
                sent(picture)
            } catch {
                failed(error)
            }
        }
    }

    private mutating func send(_ picture: inout Waiting, into store: inout any Store) throws(StoreFailure) {
        var attempts = Attempts(policy())
        try putWithRetries(
            &picture.object, into: &store, &attempts, quota: &run.record.retryQuota, stop: run.settings.context.stop)
    }
}

extension Failure {
    fileprivate static func spool(_ code: Code, _ verb: String, _ name: SpoolName, in path: String, why: String)
        -> Failure
    {
        Failure(code, "cannot \(verb) spooled picture \(name.number) in", path, why: why)
    }
}
