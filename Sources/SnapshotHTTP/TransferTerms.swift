import SnapshotBase

/// What all transfers of one client have in common. Handles keep it, since libcurl tells its counters of connections until
/// the last is closed.
final class TransferTerms {
    /// Ends a transfer that takes more than a moment once it is made.
    let stop: StopRequest
    /// Of earlier runs; without them every connection begins with a whole handshake.
    let sessions: TLSSessions?
    /// Holds uploads to a rate.
    let pace: UploadPace?
    /// Of requests to cameras, which are near, and of all others.
    let near = TrafficCounter()
    let far = TrafficCounter()

    init(stop: StopRequest, sessions: TLSSessions?, rate: Int?) {
        self.stop = stop
        self.sessions = sessions
        pace = rate.map { UploadPace(bytesPerSecond: $0, stop: stop) }
    }
}
