import SnapshotBase

/// A point in time, by the wall clock and by the time since boot, which never jumps.
package struct Moment: JSONMapped, Equatable, Sendable {
    /// ISO 8601, UTC, according to the wall clock at that time.
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

/// The current time in all clocks. It is passed as a parameter wherever time matters.
package struct Now: Sendable {
    package var wall: Timestamp
    /// Seconds since boot; 0 if `boot` is "".
    package var up: Double
    /// The kernel's boot id; "" if the time since boot is not reliable.
    package var boot: String

    package init(wall: Timestamp, up: Double, boot: String) {
        self.wall = wall
        self.up = up
        self.boot = boot
    }

    package var moment: Moment {
        Moment(at: wall.iso8601, up: boot.isEmpty ? nil : (up * 1000).rounded() / 1000)
    }

    /// Seconds since `moment`, which a record of boot `recordBoot` contains. After a reboot the wall clock is used,
    /// with the time since boot as the minimum.
    package func age(of moment: Moment, recordBoot: String) -> Double {
        let isSameBoot = recordBoot == boot && !boot.isEmpty
        if let up = moment.up, isSameBoot, self.up >= up { return self.up - up }
        let wallAge =
            Timestamp(iso8601: moment.at).map { Double(wall.milliseconds - $0.milliseconds) / 1000 } ?? 0
        return max(wallAge, isSameBoot || recordBoot.isEmpty ? 0 : up, 0)
    }
}

extension SystemClock {
    /// The current time; `boot` is "" if the time since boot is not reliable.
    package func now() -> Now {
        let up = up().seconds
        // Containers and time-shifting tools can show a boot clock that differs from the kernel's; then it is not used.
        guard let kernel = kernelUptime(), abs(kernel - up) < 5 else { return Now(wall: wall(), up: 0, boot: "") }
        return Now(wall: wall(), up: up, boot: boot)
    }
}

private func kernelUptime() -> Double? {
    guard let text = try? readFile("/proc/uptime", limit: 64) else { return nil }
    return Double(String(decoding: text.prefix { $0 != 0x20 }, as: UTF8.self))
}
