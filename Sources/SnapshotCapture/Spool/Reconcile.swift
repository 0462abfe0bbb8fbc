import SnapshotState

extension Record {
    /// Corrects the counters after a run that changed the spool and was killed before it could write its record.
    /// Afterwards `captures = uploads + spool + dropped + superseded` holds as it did before that run.
    /// - Parameter entries: all entries of the spool, oldest first.
    package mutating func reconcile(with entries: [SpoolName]) {
        let unrecorded = entries.filter { $0.number > lastNumber }
        totalCaptures += unrecorded.count
        failedUploads += unrecorded.count
        lastNumber = max(lastNumber, entries.last?.number ?? 0)

        let missing = spool.count + unrecorded.count - entries.count
        if missing >= 0 {
            // There are fewer files than recorded: count the missing ones as uploaded. Some may have been quarantined
            // or superseded instead, but nothing tells which: a run removes files before it records why.
            totalUploads += missing
        } else {
            // More files than recorded: undo drops first, then uploads (those will be sent again), then count captures
            // that the record never knew.
            let kept = min(-missing, spool.dropped)
            let stored = min(-missing - kept, totalUploads)
            let unknown = -missing - kept - stored
            spool.dropped -= kept
            totalUploads -= stored
            totalCaptures += unknown
            failedUploads += unknown
        }
        spool.count = entries.count
        spool.bytes = entries.reduce(0) { $0.adding($1.bytes) }
    }
}
