import Glibc

/// Time since boot, including suspend, in nanoseconds. It never jumps, so ages and deadlines use it. Other targets get
/// the present one from a `SystemClock`.
package struct Uptime: Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    static func now() -> Uptime {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Uptime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package var seconds: Double { Double(nanoseconds) / 1e9 }

    package static func < (left: Uptime, right: Uptime) -> Bool { left.nanoseconds < right.nanoseconds }
    package static func + (left: Uptime, right: Duration) -> Uptime {
        Uptime(nanoseconds: Int64(Int(left.nanoseconds).adding(Int(right.nanoseconds))))
    }
    package static func - (left: Uptime, right: Uptime) -> Duration {
        .nanoseconds(left.nanoseconds) - .nanoseconds(right.nanoseconds)
    }

    /// Sleeps until this moment, or until one of `signals` arrives, which must be blocked; returns that signal, else
    /// nil.
    package func sleep(untilThisOr signals: sigset_t) -> Int32? {
        var signals = signals
        while true {
            let left = (self - Uptime.now()).nanoseconds
            guard left > 0 else { return nil }
            var timeout = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
            let signal = sigtimedwait(&signals, nil, &timeout)
            if signal > 0 { return signal }
        }
    }
}

/// Measures how long something takes, by a `SystemClock`.
package struct Stopwatch: Sendable {
    private let up: @Sendable () -> Uptime
    private let start: Uptime

    init(_ clock: SystemClock) { (up, start) = (clock.up, clock.up()) }

    package var elapsed: Duration { up() - start }
}

/// A moment by which an operation must have ended, by the real time since boot even where a test has a clock of its
/// own: system calls that wait know no other.
package struct Deadline: Sendable {
    package let end: Uptime

    package init(_ end: Uptime) { self.end = end }
    package static func after(_ duration: Duration) -> Deadline { Deadline(Uptime.now() + duration) }

    package var left: Duration { end - Uptime.now() }
    package var hasPassed: Bool { left <= .zero }

    /// The remaining time in milliseconds, at least 1, for interfaces in which 0 means no limit.
    package var millisecondsLeft: Int { max(1, Int(left.nanoseconds / 1_000_000)) }

    /// This deadline, or `duration` from now if that is earlier.
    package func sooner(_ duration: Duration) -> Deadline {
        let other = Deadline.after(duration)
        return other.end < end ? other : self
    }
}

extension Duration {
    /// Clamped to 200 years either way, which exceeds any time that a program waits for.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return min(max(seconds, -6_311_520_000), 6_311_520_000) * 1_000_000_000 + attoseconds / 1_000_000_000
    }
    package var seconds: Double { Double(nanoseconds) / 1e9 }
    package var milliseconds: Int { Int(nanoseconds / 1_000_000) }
}

/// Sleeps for `pause`, but not past `deadline`.
package func sleep(_ pause: Duration, until deadline: Deadline) {
    let end = Deadline.after(pause < deadline.left ? pause : deadline.left)
    while !end.hasPassed {
        let left = max(0, end.left.nanoseconds)
        var rest = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
        nanosleep(&rest, nil)
    }
}
