import SnapshotBase

/// When something happened: by the wall clock, and by the time since boot, which never jumps.
package struct Moment: Codable, Equatable, Sendable {
    /// ISO 8601, UTC, as the wall clock had it.
    package var at: String
    /// Seconds since the boot that `Record.boot` names; nil once another boot has begun.
    package var up: Double?

    package init(at: String, up: Double?) {
        self.at = at
        self.up = up
    }
}

/// The present, in every clock there is. Passed in wherever time matters.
package struct Now: Sendable {
    package var wall: Timestamp
    package var up: Double
    package var boot: String

    package init(wall: Timestamp, up: Double, boot: String) {
        self.wall = wall
        self.up = up
        self.boot = boot
    }

    package static func current() -> Now {
        Now(wall: .now(), up: Uptime.now().seconds, boot: bootIdentity())
    }

    package var moment: Moment { Moment(at: wall.iso8601, up: (up * 1000).rounded() / 1000) }

    /// Seconds since `moment`, which a record of boot `recordBoot` holds. Across boots the wall clock has to do,
    /// but at least the present boot's age has passed.
    package func age(of moment: Moment, recordBoot: String) -> Double {
        if let up = moment.up, recordBoot == boot, self.up >= up { return self.up - up }
        let wallAge = Timestamp(iso8601: moment.at).map { Double(wall.milliseconds - $0.milliseconds) / 1000 } ?? 0
        return max(wallAge, recordBoot == boot ? 0 : up, 0)
    }
}
