import SnapshotBase

/// How often a timer fires, according to `systemctl show`.
/// - Parameters:
///   - calendar: `{ OnCalendar=*-*-* *:*:00/10 UTC ; next_elapse=… }`, repeated for each expression; it takes
///     precedence.
///   - monotonic: `{ OnUnitActiveUSec=15s ; next_elapse=… }`, repeated likewise.
/// - Returns: nil where there is no single interval: several calendar expressions, or one with unequal gaps.
package func timerInterval(calendar: String, monotonic: String) -> Duration? {
    let calendars = values(of: "OnCalendar", in: calendar)
    if calendars.count == 1 { return calendarInterval(calendars[0]) }
    guard calendars.isEmpty else { return nil }
    return values(of: "OnUnitActiveUSec", in: monotonic).first.flatMap(systemdDuration)
}

private func values(of name: String, in text: String) -> [String] {
    text.split(separator: "{").compactMap { part in
        let word = part.trimmed
        guard word.hasPrefix(name + "=") else { return nil }
        return String(word.dropFirst(name.utf8.count + 1).prefix { $0 != ";" && $0 != "}" }[...].trimmed)
    }
}

/// The time between two elapses of a calendar expression such as `*:*:0/10`, `*-*-* *:00/2:00 UTC` or `hourly`; nil
/// where the gaps are unequal or longer than a day.
package func calendarInterval(_ expression: String) -> Duration? {
    let words = expression.split(separator: " ")
    switch words.first {
    case "minutely": return .seconds(60)
    case "hourly": return .seconds(3600)
    case "daily": return .seconds(86400)
    default: break
    }
    // A date other than every day, or a weekday, makes gaps that are unequal or longer than a day.
    guard words.allSatisfy({ $0 == "*-*-*" || $0 == "UTC" || $0.contains(":") }),
        let time = words.first(where: { $0.contains(":") })
    else { return nil }
    var fields = time.split(separator: ":")
    if fields.count == 2 { fields.append("0") }
    guard fields.count == 3 else { return nil }
    // Hours, minutes, seconds. `*` or a step is accepted only if all fields before it match every value: otherwise the
    // gaps would be unequal.
    var interval = 86400
    for (field, (length, count)) in zip(fields, [(3600, 24), (60, 60), (1, 60)]) {
        guard let step = step(field, of: count) else { return nil }
        if case .every(let units) = step {
            guard interval == length * count else { return nil }
            interval = length * units
        }
    }
    return .seconds(interval)
}

private enum Step { case fixed, every(Int) }

/// A field of a calendar expression: `5`, `*`, `0/10` or `*/10`; nil for lists, ranges, and steps that don't divide
/// `count`.
private func step(_ field: Substring, of count: Int) -> Step? {
    if field == "*" { return .every(1) }
    let parts = field.split(separator: "/", omittingEmptySubsequences: false)
    let start = parts[0] == "*" ? 0 : Int(decimal: parts[0])
    guard let start, (0..<count).contains(start) else { return nil }
    if parts.count == 1 { return .fixed }
    guard parts.count == 2, let step = Int(decimal: parts[1]), step > 0, count % step == 0, start < step else {
        return nil
    }
    return .every(step)
}

/// A time span as systemd prints it: `15s`, `1min 30s`, `1d 2h`.
package func systemdDuration(_ text: String) -> Duration? {
    let units = [
        "us": 0.000_001, "ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604_800, "month": 2_629_800,
        "y": 31_557_600,
    ]
    let words = text.split(separator: " ")
    guard !words.isEmpty else { return nil }
    var seconds = 0.0
    for word in words {
        let digits = word.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        guard let number = Double(digits), let unit = units[String(word[digits.endIndex...])] else { return nil }
        seconds += number * unit
    }
    return seconds < 1e9 ? .milliseconds(Int(bounded: seconds * 1000)) : nil
}
