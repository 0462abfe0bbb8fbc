import SnapshotBase

/// Counts recent changes of the video's size or encoding. After five in ten minutes changes no longer restart ffmpeg.
struct FormatChanges {
    private var times: [Uptime] = []

    private static let few = 5
    private static let late = Duration.seconds(600)

    mutating func note(now: Uptime) { times = (times + [now]).suffix(Self.few) }

    func areFew(now: Uptime) -> Bool { times.count { now - $0 < Self.late } < Self.few }
}
