import SnapshotBase

/// What an output keeps in its folder. Only the folder's own thread touches it: any call may take as long as the disk likes.
protocol OutputFiles: Sendable {
    /// What ffmpeg writes into.
    var output: OutputFolder { get }
    /// A run of ffmpeg begins, which is known by this time.
    mutating func begin(_ run: Timestamp)
    /// Takes over what ffmpeg has finished; called about once a second while media flows.
    /// - Parameter origin: the time at which the stream's time was zero, by how far it has come now; nil where nobody knows.
    /// - Returns: whether there is more that can be played than at the last call.
    mutating func update(now: Uptime, origin: Timestamp?) -> Bool
    /// ffmpeg has ended: takes over the rest.
    mutating func end(now: Uptime)
    /// Called every few seconds, also while nothing is written.
    mutating func retain(now: Uptime)
}

extension OutputFiles {
    mutating func retain(now: Uptime) {}
}
