import Glibc
import SnapshotBase
import SnapshotSettings

/// A line of a cron table that takes a picture every `interval`.
struct CronLine {
    let interval: Duration
    let program: String
    let folder: String
    let settingsPath: String

    var text: String {
        let seconds = interval.milliseconds / 1000
        let isMinutes = interval.milliseconds % 60000 == 0 && seconds < 3600 && 60 % max(1, seconds / 60) == 0
        let isHours = interval.milliseconds % 3_600_000 == 0 && seconds <= 86400 && 24 % max(1, seconds / 3600) == 0
        if isMinutes { return line(seconds == 60 ? "* * * * *" : "*/\(seconds / 60) * * * *", "") }
        if isHours { return line(seconds == 86400 ? "0 0 * * *" : "0 */\(seconds / 3600) * * *", "") }
        let every = " --every \(interval.settingText)"
        if seconds < 60 { return line("* * * * *", every + " --for 55s") + " &" }
        return line("@reboot", every) + " &"
    }

    private func line(_ time: String, _ more: String) -> String {
        "\(time) cd \(quoted(folder)) && \(quoted(program)) capture --config \(quoted(settingsPath))\(more) >/dev/null"
    }

    /// Quotes a path for the shell, then escapes `%`, which ends the command for cron.
    private func quoted(_ path: String) -> String {
        let isPlain = path.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "_-./".utf8.contains(byte)
        }
        let escaped = path[...].cut(at: "'").joined(separator: "'\\''")
        return isPlain ? path : "'\(escaped[...].cut(at: "%").joined(separator: "\\%"))'"
    }
}
