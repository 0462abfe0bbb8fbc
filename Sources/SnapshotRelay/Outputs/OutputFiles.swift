import SnapshotBase

/// An output's files in its folder. Only the folder's own thread calls this, since any call may hang with the disk.
protocol OutputFiles: Sendable {
    /// The folder that ffmpeg writes into.
    var output: FFmpegFolder { get }
    /// A run of ffmpeg begins; its start time identifies it.
    mutating func begin(_ runStart: Timestamp)
    /// Takes over the files that ffmpeg has finished; called about once a second while media flows.
    /// - Parameter streamStart: the wall-clock time of the stream's timestamp 0; nil where ffmpeg gives no position.
    /// - Returns: whether the playable media has grown since the last call.
    mutating func update(now: Uptime, streamStart: Timestamp?) -> Bool
    /// ffmpeg has ended: takes over the remaining files.
    mutating func end(now: Uptime)
    /// Applies retention. Called every few seconds, even while nothing is written.
    mutating func applyLimits(now: Uptime)
}

extension OutputFiles {
    mutating func applyLimits(now: Uptime) {}
}
