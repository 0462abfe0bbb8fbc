import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// The units' drop-ins for an interval: when the timer fires, and how long a run may take.
package struct TimerSchedule: Equatable, Sendable {
    package let interval: Duration

    package init(every interval: Duration) { self.interval = interval }

    /// The calendar expression that elapses every `interval`; nil where none does, as for 7 s.
    ///
    /// In UTC: when local time is set back, an hour comes twice, and systemd skips the second one.
    package var calendar: String? {
        let milliseconds = interval.milliseconds
        guard milliseconds > 0, milliseconds % 1000 == 0 else { return nil }
        let seconds = milliseconds / 1000
        if let step = Self.step(seconds, of: 60) { return "*:*:\(step) UTC" }
        if let step = Self.step(seconds, of: 60, unit: 60) { return "*:\(step):0 UTC" }
        if let step = Self.step(seconds, of: 24, unit: 3600) { return "\(step):0:0 UTC" }
        return nil
    }

    /// `0/n` where the interval is n units and n divides the whole; `0` where n is the whole; otherwise nil.
    private static func step(_ seconds: Int, of whole: Int, unit: Int = 1) -> String? {
        let count = seconds / unit
        guard seconds % unit == 0, count > 0, whole % count == 0 else { return nil }
        return count == whole ? "0" : "0/\(count)"
    }

    /// The timer's drop-in. An empty `OnCalendar=` clears all triggers of the unit (`On…=`), so each is given again.
    /// - Parameter spread: whether each camera that shares the interval gets its own moment within it.
    package func timerDropIn(spread: Bool) -> String {
        var lines = ["[Timer]", "OnCalendar="]
        if let calendar {
            // `OnUnitActiveSec=` keeps the timer going when the clock is set back.
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

    /// The service's drop-in: TimeoutStartSec= ends a run that hangs, but never one that is within its own deadlines.
    package static func serviceDropIn(cameraTimeout: Duration, uploadDeadline: Duration, timeouts: UploadTimeouts)
        -> String
    {
        // An upload that begins just before its deadline may still take `timeouts`. The 12 s are for the state,
        // PING_URL (5 s) and starting on a busy board.
        let upload = uploadDeadline + timeouts.whole + timeouts.response
        let whole = Int((cameraTimeout + upload).seconds.rounded(.up)) + 12
        return heading + "[Service]\nTimeoutStartSec=\(whole)s\n"
    }

    private static let heading = "# Written by snapshot schedule.\n"
}
