import SnapshotBase
import SnapshotState

extension HTML {
    /// A moment, which a script may show in the reader's own time zone.
    static func time(_ moment: String) -> HTML {
        guard let time = Timestamp(iso8601: moment) else { return "\(moment.printable(limit: 40))" }
        return .time(time)
    }

    /// A moment in this machine's time zone, which is taken for the camera's.
    static func time(_ moment: Timestamp) -> HTML {
        "<time datetime=\"\(moment.iso8601)\">\(moment.localText)</time>"
    }
}

/// How long a recording plays: `45 s`, `2:30 min`, `1:00:05 h`.
func playtime(_ seconds: Double) -> String {
    let whole = Int(min(max(seconds, 0), 1e9).rounded())
    return switch whole {
    case ..<120: "\(whole) s"
    case ..<3600: "\(whole / 60):\((whole % 60).padded(2)) min"
    default: "\(whole / 3600):\((whole / 60 % 60).padded(2)):\((whole % 60).padded(2)) h"
    }
}
