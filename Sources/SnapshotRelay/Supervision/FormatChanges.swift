import SnapshotBase

/// Counts the changes of the video's size or encoding in the last ten minutes. After five they don't restart
/// ffmpeg any more, since each restart costs some seconds of video.
struct FormatChanges {
    private var times: [Uptime] = []

    private static let few = 5
    private static let late = Duration.seconds(600)

    mutating func note(now: Uptime) { times = (times + [now]).suffix(Self.few) }

    func areFew(now: Uptime) -> Bool { times.count { now - $0 < Self.late } < Self.few }
}
