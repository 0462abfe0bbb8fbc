import SnapshotBase

/// Counts the changes of the video's size or encoding in the last ten minutes. After five they don't restart
/// ffmpeg any more, since each restart costs some seconds of video.
struct FormatChanges {
    private var times: [Uptime] = []

    private static let limit = 5
    private static let window = Duration.seconds(600)

    mutating func add(now: Uptime) { times = (times + [now]).suffix(Self.limit) }

    func areFew(now: Uptime) -> Bool { times.count { now - $0 < Self.window } < Self.limit }
}
