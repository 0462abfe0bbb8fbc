import Glibc
import SnapshotBase
import SnapshotState
import Synchronization

/// `snapshot drain`: the whole spool, over several connections at once, oldest first as far as that allows. It holds the
/// lock, so no capture changes the spool meanwhile. Where signals are held, one ends it after the pictures under way.
/// Killed, it loses nothing: what it sent is no longer in the spool, and the next run counts it.
package struct DrainAll {
    package struct Result: Sendable {
        package var sent = 0
        package var left = 0
        /// Why it stopped early, or what the store said to the pictures that it left.
        package var failure: Failure?
    }

    private let settings: CaptureSettings
    private let log: Log
    private let transfers: Int
    private let progress: @Sendable (_ sent: Int, _ all: Int) -> Void

    /// - Parameter progress: called after each picture, by one thread at a time.
    package init(
        _ settings: CaptureSettings, log: Log, transfers: Int,
        progress: @escaping @Sendable (_ sent: Int, _ all: Int) -> Void
    ) {
        self.settings = settings
        self.log = log
        self.transfers = transfers
        self.progress = progress
    }

    /// - Returns: nil where another run holds the lock.
    package func run() throws(Failure) -> Result? {
        guard var state = try StateDirectory.open(settings.statePath) else { return nil }
        let client = HTTPClient()
        var run = Run(settings, client: client, log: log, state: state)
        let credentials = run.memory.digest(settings.store.fingerprint)
        if let wait = run.record.latches["store"]?.remaining(
            settings: credentials, now: run.now, recordBoot: run.record.boot)
        {
            throw .latched(.storeRefused, "store", "", wait: wait)
        }
        let queue = DrainQueue(run.spool, run.record, progress)
        let worker = DrainWorker(settings: settings, log: log, now: run.now, record: run.record, queue: queue)
        inParallel(settings.store.isRemote ? transfers : 1) { worker.work(with: HTTPClient()) }

        let (spool, record, result) = queue.end()
        run.spool = spool
        run.record = record
        if let failure = result.failure, failure.kind == .storeRefused {
            run.record.latches["store"] = .after(
                run.record.latches["store"], settings: credentials, now: .current())
        } else if result.sent > 0 {
            run.record.latches["store"] = nil
        }
        try run.recordDrain(&state)
        return result
    }
}

extension Run {
    /// Records what a drain changed; the last shot's outcome stays what it was.
    fileprivate mutating func recordDrain(_ state: inout StateDirectory) throws(Failure) {
        spool.noteOldest()
        spool.syncRemovals()
        record.spool = spool.figures
        record.written = Now.current().moment
        try state.write(record)
        spool.settled()
    }
}

/// What the transfers of a drain share.
private final class DrainQueue: Sendable {
    private struct Content: Sendable {
        var waiting: ArraySlice<SpoolName>
        var spool: Spool
        var record: Record
        var result = DrainAll.Result()
        var total: Int
    }

    private let content: Mutex<Content>
    private let progress: @Sendable (Int, Int) -> Void

    init(_ spool: Spool, _ record: Record, _ progress: @escaping @Sendable (Int, Int) -> Void) {
        let names = spool.list()[...]
        content = Mutex(Content(waiting: names, spool: spool, record: record, total: names.count))
        self.progress = progress
    }

    /// Nil too once the program is asked to end.
    func next() -> SpoolName? {
        content.withLock { HeldSignals.areWaiting ? nil : $0.waiting.popFirst() }
    }

    func sent(_ name: SpoolName) {
        content.withLock { content in
            guard content.spool.remove(name) else { return }
            content.record.totalUploads += 1
            content.record.lastUpload = Now.current().moment
            content.result.sent += 1
            progress(content.result.sent, content.total)
        }
    }

    func damaged(_ name: SpoolName) { content.withLock { $0.spool.quarantine(name) } }

    /// - Parameter stops: no other picture would fare better.
    func failed(_ failure: Failure, stops: Bool) {
        content.withLock { content in
            if content.result.failure == nil || stops { content.result.failure = failure }
            if stops { content.waiting = [] }
        }
    }

    func end() -> (Spool, Record, DrainAll.Result) {
        content.withLock { content in
            content.result.left = content.spool.figures.count
            return (content.spool, content.record, content.result)
        }
    }
}

/// Sends one picture after the other over its own connection.
private struct DrainWorker: Sendable {
    let settings: CaptureSettings
    let log: Log
    let now: Now
    let record: Record
    let queue: DrainQueue

    func work(with client: HTTPClient) {
        var store = makeStore(
            settings.store, client: client, record: record, now: now, statePath: settings.statePath)
        let spool = Spool(statePath: settings.statePath, figures: record.spool)
        var quota = record.retryQuota
        while let name = queue.next() {
            var object: StoredObject
            do throws(SystemError) {
                let found = try spool.object(
                    name, template: settings.keyTemplate, now: now, clock: record.clock)
                guard let found else {
                    log.warn("spooled picture \(name.number) is damaged and put aside in \(spool.path)/bad")
                    queue.damaged(name)
                    continue
                }
                object = found
            } catch {
                log.warn("spooled picture \(name.number) can't be read now: \(error)")
                continue
            }
            let policy = RetryPolicy(
                attempts: settings.uploadAttempts, deadline: .after(settings.uploadDeadline))
            var attempts = 0
            do throws(StoreFailure) {
                try put(&object, into: &store, policy, quota: &quota, attempts: &attempts) { _, _ in }
                queue.sent(name)
            } catch {
                queue.failed(error.failure, stops: error.failure.code != "store-rejected")
            }
        }
    }
}

/// Runs `body` in `count` threads and waits for them all.
private func inParallel(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let work = Work(body)
    var threads: [pthread_t] = []
    for _ in 0..<count {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(work)
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, argument.toOpaque())
        if code == 0 { threads.append(thread) } else { argument.release() }
    }
    // Without a single thread the work still has to be done.
    if threads.isEmpty { body() }
    for thread in threads { pthread_join(thread, nil) }
}
