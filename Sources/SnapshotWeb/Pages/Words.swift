import SnapshotBase
import SnapshotState

/// `980 bytes`, `412 KB`, `1.4 GB`
func size(_ bytes: Double) -> String {
    var value = max(0, bytes)
    guard value >= 1000 else { return "\(Int(value)) bytes" }
    for unit in ["KB", "MB", "GB"] {
        value /= 1000
        if value < 9.95 { return oneDecimal(value) + " " + unit }
        if value < 999.5 { return "\(Int(value.rounded())) \(unit)" }
    }
    return oneDecimal(min(value, 1e12) / 1000) + " TB"
}

extension HTML {
    /// A moment, which a script may show in the reader's own time zone.
    static func time(_ moment: String) -> HTML {
        guard let time = Timestamp(iso8601: moment) else { return "\(moment.printable(limit: 40))" }
        return .time(time)
    }

    static func time(_ moment: Timestamp) -> HTML {
        let f = moment.fields
        return """
            <time datetime="\(moment.iso8601)">\(f.year)-\(f.month)-\(f.day) \(f.hour):\(f.minute):\(f.second) UTC</time>
            """
    }
}
