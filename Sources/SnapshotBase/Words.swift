/// A duration in seconds for people: `42 s`, `5 min`, `3 h`, `2 d`.
package func inWords(_ seconds: Int) -> String {
    switch seconds {
    case ..<120: "\(seconds) s"
    case ..<7200: "\(seconds / 60) min"
    case ..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86400) d"
    }
}

/// A duration in milliseconds for people: `820 ms`, `2.4 s`, `12 s`.
package func latency(_ milliseconds: Double) -> String {
    switch milliseconds {
    case ..<1000: "\(Int(max(0, milliseconds).rounded())) ms"
    case ..<9950: oneDecimal(milliseconds / 1000) + " s"
    default: "\(Int((min(milliseconds, 1e12) / 1000).rounded())) s"
    }
}

/// A number with separators, e.g. `12,345`.
package func grouped(_ number: Int) -> String {
    var text = String(number.magnitude)
    var position = text.count - 3
    while position > 0 {
        text.insert(",", at: text.index(text.startIndex, offsetBy: position))
        position -= 3
    }
    return number < 0 ? "-" + text : text
}

/// A number and its noun: `1 picture`, `3 pictures`, `2 tries`.
package func counted(_ number: Int, _ noun: String, plural: String? = nil) -> String {
    "\(grouped(number)) \(number == 1 ? noun : plural ?? noun + "s")"
}

/// A number with one decimal, e.g. `2.4`.
package func oneDecimal(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}

extension String {
    /// This text with an initial capital.
    package var sentence: String { prefix(1).uppercased() + String(dropFirst()) }

    /// This text as part of a sentence: without its initial capital, unless that belongs to a name, as in
    /// `HTTP status 500`.
    package var clause: String {
        guard let first, let second = dropFirst().first, first.isUppercase, second.isLowercase || second == " " else {
            return self
        }
        return first.lowercased() + String(dropFirst())
    }
}

/// A duration with one decimal, e.g. `0.8 s`.
package func secondsText(_ duration: Duration) -> String {
    let tenths = (duration.milliseconds + 50) / 100
    return "\(tenths / 10).\(tenths % 10) s"
}
