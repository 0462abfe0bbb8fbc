import SnapshotBase

/// When something happened: by the wall clock, and by the time since boot, which never jumps.
package struct Moment: JSONMapped, Equatable, Sendable {
    /// ISO 8601, UTC, as the wall clock had it.
    package var at = ""
    /// Seconds since the boot that `Record.boot` names; nil once another boot has begun.
    package var up: Double?

    package init() {}

    package init(at: String, up: Double?) {
        self.at = at
        self.up = up
    }

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("at", &at)
        fields.field("up", &up)
    }
}

/// The present, in every clock there is. Passed in wherever time matters.
package struct Now: Sendable {
    package var wall: Timestamp
    /// Seconds since boot; 0 where `boot` is "".
    package var up: Double
    /// The kernel's name for this boot; "" where the clock that counts from it can't be believed.
    package var boot: String

    package init(wall: Timestamp, up: Double, boot: String) {
        self.wall = wall
        self.up = up
        self.boot = boot
    }

    package var moment: Moment {
        Moment(at: wall.iso8601, up: boot.isEmpty ? nil : (up * 1000).rounded() / 1000)
    }

    /// Seconds since `moment`, which a record of boot `recordBoot` holds. Across boots the wall clock has to do,
    /// but at least the present boot's age has passed.
    package func age(of moment: Moment, recordBoot: String) -> Double {
        let isSameBoot = recordBoot == boot && !boot.isEmpty
        if let up = moment.up, isSameBoot, self.up >= up { return self.up - up }
        let wallAge =
            Timestamp(iso8601: moment.at).map { Double(wall.milliseconds - $0.milliseconds) / 1000 } ?? 0
        return max(wallAge, isSameBoot || recordBoot.isEmpty ? 0 : up, 0)
    }
}

extension SystemClock {
    package func now() -> Now {
        let up = up().seconds
        // Containers and tools that shift time can show a boot clock that isn't the kernel's: then there is none.
        guard let kernel = kernelUptime(), abs(kernel - up) < 5 else { return Now(wall: wall(), up: 0, boot: "") }
        return Now(wall: wall(), up: up, boot: boot)
    }
}

private func kernelUptime() -> Double? {
    guard let text = try? readFile("/proc/uptime", limit: 64) else { return nil }
    return Double(String(decoding: text.prefix { $0 != 0x20 }, as: UTF8.self))
}
