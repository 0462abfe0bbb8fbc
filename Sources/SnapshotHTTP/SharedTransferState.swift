import SnapshotBase

/// What all transfers of a client share. Handles keep a reference, because libcurl calls the traffic counters until the
/// last connection is closed.
final class SharedTransferState {
    /// The request to stop. A transfer is ended if it still runs two seconds later.
    let stop: StopRequest
    let clock: SystemClock
    /// TLS sessions of earlier runs; nil makes every connection begin with a full handshake.
    let tlsSessions: TLSSessions?
    /// The rate limit of uploads.
    let pace: UploadPace?
    /// Traffic counters for the camera, and for all other hosts.
    let camera = TrafficCounter()
    let others = TrafficCounter()

    init(_ context: ProcessContext, sessions: TLSSessions?, rate: Int?) {
        (stop, clock) = (context.stop, context.clock)
        tlsSessions = sessions
        pace = rate.map { UploadPace(bytesPerSecond: $0, context) }
    }
}
