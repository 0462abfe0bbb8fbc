import SnapshotBase

/// How often a camera's video has become another of late. One that does so all the time is relayed as it is.
struct Reformats {
    private var times: [Uptime] = []

    private static let few = 5
    private static let late = Duration.seconds(600)

    mutating func note(now: Uptime) { times = (times + [now]).suffix(Self.few) }

    func areFew(now: Uptime) -> Bool { times.count { now - $0 < Self.late } < Self.few }
}
