import SnapshotState

extension Record {
    /// Makes the counters true again after a run that changed the spool and was killed before it could record:
    /// `captures = uploads + spool + dropped` holds afterwards for all that reached the spool.
    package mutating func reconcile(with entries: [SpoolName]) {
        let unrecorded = entries.filter { $0.number > lastNumber }
        totalCaptures += unrecorded.count
        failedUploads += unrecorded.count
        lastNumber = max(lastNumber, entries.last?.number ?? 0)

        let missing = spool.count + unrecorded.count - entries.count
        if missing >= 0 {
            // What isn't there any more was acknowledged: nothing else removes an entry without recording it first.
            totalUploads += missing
        } else {
            // Gone in the record, but still there: what was given up first, else what the store has and gets again, else
            // what the record never knew.
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
