import SnapshotBase
import SnapshotHTTP
import SnapshotState
import SnapshotStore

/// `snapshot drain`: uploads the whole spool, oldest first but rejected entries last, several pictures in parallel. It
/// holds the lock, so no run captures or changes the spool meanwhile. SIGTERM, SIGINT and SIGHUP stop it after the
/// uploads in progress. A kill loses nothing: uploaded pictures have left the spool, and the next run counts them.
package struct DrainAll {
    package struct Result: Sendable {
        /// In pictures.
        package var sent = 0
        package var left = 0
        /// Why it stopped early, or why pictures are left in the spool.
        package var failure: Failure?
    }

    private let settings: CaptureSettings
    private let log: Log
    private let transfers: Int
    private let progress: (_ sent: Int, _ all: Int) -> Void

    /// - Parameters:
    ///   - transfers: how many at once; a folder gets its pictures one by one.
    ///   - progress: called after each uploaded picture.
    package init(
        _ settings: CaptureSettings, log: Log, transfers: Int, progress: @escaping (_ sent: Int, _ all: Int) -> Void
    ) {
        self.settings = settings
        self.log = log
        self.transfers = transfers
        self.progress = progress
    }

    /// - Returns: nil where another run holds the lock.
    /// - Throws: where it can't begin: the state can't be opened, the spool can't be listed, or a hold-off or store
    ///   pause lasts; and where the record can't be written at the end.
    package func run() throws(Failure) -> Result? {
        guard let state = try StateDirectory.open(settings.statePath) else { return nil }
        let run = Run(settings, client: settings.makeClient(), log: log, state: state)
        if let failure = run.heldOffStore { throw failure }
        var store = settings.storeKind.open(
            client: run.client, record: run.record, now: run.now, statePath: settings.statePath)
        if let wait = run.storePause { throw .paused(store.address, wait: wait) }
        var queue = try DrainQueue(run, progress)
        if let store = store as? any RemoteStore {
            var drain = ParallelDrain(store, transfers: transfers, stop: settings.context.stop)
            drain.run(&queue)
        } else {
            queue.sendOneByOne(into: &store)
        }
        if let failure = queue.result.failure, failure.kind == .storeRefused {
            queue.run.holdOffIfRefused(by: "store", failure)
        } else if queue.result.sent > 0 {
            queue.run.noteCredentialsAccepted(by: "store")
        }
        // The spool is drained: runs that only failed to upload no longer count as consecutive failures.
        if queue.result.sent > 0, queue.result.failure == nil, queue.run.record.outcome.result == .spooled {
            queue.run.record.consecutiveFailures = 0
        }
        return try queue.commit()
    }
}
