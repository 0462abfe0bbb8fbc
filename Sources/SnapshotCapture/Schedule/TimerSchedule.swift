import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// An interval in systemd's words: when the timer fires, and how long a run may take.
package struct TimerSchedule: Equatable, Sendable {
    package let interval: Duration

    package init(every interval: Duration) { self.interval = interval }

    /// The calendar expression whose moments lie `interval` apart, or nil where none does, as for 7 s.
    ///
    /// In UTC, since local time has an hour twice, and systemd leaves the second one out.
    package var calendar: String? {
        let milliseconds = interval.milliseconds
        guard milliseconds > 0, milliseconds % 1000 == 0 else { return nil }
        let seconds = milliseconds / 1000
        if let step = Self.step(seconds, of: 60) { return "*:*:\(step) UTC" }
        if let step = Self.step(seconds, of: 60, unit: 60) { return "*:\(step):0 UTC" }
        if let step = Self.step(seconds, of: 24, unit: 3600) { return "\(step):0:0 UTC" }
        return nil
    }

    /// `0/n` where `count` units are n and n divides the whole; the whole itself is `0`.
    private static func step(_ seconds: Int, of whole: Int, unit: Int = 1) -> String? {
        let count = seconds / unit
        guard seconds % unit == 0, count > 0, whole % count == 0 else { return nil }
        return count == whole ? "0" : "0/\(count)"
    }

    /// The timer's drop-in. Each line has to be given again, since an empty `OnCalendar=` clears them all.
    ///
    /// - Parameter spread: whether cameras that share the interval get a moment each within it.
    package func timerDropIn(spread: Bool) -> String {
        var lines = ["[Timer]", "OnCalendar="]
        if let calendar {
            // The second line goes on when the clock is set back.
            lines += ["OnCalendar=\(calendar)", "OnUnitActiveSec=\((interval + interval / 2).settingText)"]
        } else {
            lines += ["OnActiveSec=0", "OnUnitActiveSec=\(interval.settingText)"]
        }
        lines.append("AccuracySec=10ms")
        if spread {
            // A timer that counts from the last run would add the delay to every interval.
            let delay = calendar == nil ? .zero : min(interval, .seconds(60))
            lines.append("RandomizedDelaySec=\(delay.settingText)")
        }
        return Self.heading + lines.joined(separator: "\n") + "\n"
    }

    /// The service's drop-in: a hung run is ended, and never one that keeps its own deadlines.
    package static func serviceDropIn(cameraTimeout: Duration, uploadDeadline: Duration, timeouts: UploadTimeouts)
        -> String
    {
        // An upload that began at the last moment may take as long as it moves. What comes beside: the state, PING_URL's
        // 5 s, and starting on a busy board.
        let upload = uploadDeadline + timeouts.whole + timeouts.answer
        let whole = Int((cameraTimeout + upload).seconds.rounded(.up)) + 12
        return heading + "[Service]\nTimeoutStartSec=\(whole)s\n"
    }

    private static let heading = "# Written by snapshot schedule.\n"
}
