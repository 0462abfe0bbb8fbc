import SnapshotBase
import SnapshotState

/// `820 ms`, `2.4 s`, `12 s`
func latency(_ milliseconds: Double) -> String {
    switch milliseconds {
    case ..<1000: "\(Int(max(0, milliseconds).rounded())) ms"
    case ..<9950: oneDecimal(milliseconds / 1000) + " s"
    default: "\(Int((min(milliseconds, 1e12) / 1000).rounded())) s"
    }
}

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

private func oneDecimal(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}

/// `12,345`
func grouped(_ number: Int) -> String {
    var text = String(number.magnitude)
    var position = text.count - 3
    while position > 0 {
        text.insert(",", at: text.index(text.startIndex, offsetBy: position))
        position -= 3
    }
    return number < 0 ? "-" + text : text
}

/// `1 picture`, `3 pictures`
func counted(_ number: Int, _ noun: String) -> String {
    "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
}

extension String {
    /// With a capital at its beginning.
    var sentence: String { prefix(1).uppercased() + dropFirst() }
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
