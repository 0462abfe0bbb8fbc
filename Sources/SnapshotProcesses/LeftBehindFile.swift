import Glibc
import SnapshotBase

/// A file with the pid and start time of a child that was left behind, since the kernel doesn't let SIGKILL end it.
struct LeftBehindFile {
    let path: String

    /// The recorded process, while it exists.
    var process: pid_t? {
        guard let bytes = try? readFile(path, limit: 64) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        if let pid = pid_t(text.prefix(while: \.isNumber)), Self.identity(pid) == text { return pid }
        removeFile(path)
        return nil
    }

    func write(_ pid: pid_t) {
        guard let identity = Self.identity(pid) else { return }
        try? openFile(path, O_WRONLY | O_CREAT | O_TRUNC).write(Array(identity.utf8))
    }

    /// The pid and the start time, which no other process has; nil where it has ended.
    private static func identity(_ pid: pid_t) -> String? {
        let text = String(decoding: (try? readFile("/proc/\(pid)/stat", limit: 4096)) ?? [], as: UTF8.self)
        // The name before these fields may contain blanks and parentheses.
        let fields = text[...].cutAtLast(")").map { $1.split(separator: " ") } ?? []
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return "\(pid) \(fields[19])"
    }
}
