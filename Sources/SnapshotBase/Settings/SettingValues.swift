/// Values with a rule: each reader returns the default where the key is unset and refuses what breaks the rule.
extension Settings {
    package func string(_ key: SettingKey) throws(Failure) -> String? { try value(key)?.text }

    /// A path, as it is: `~` is the shell's, which doesn't read a settings file.
    package func path(_ key: SettingKey) throws(Failure) -> String? {
        guard let value = try value(key) else { return nil }
        if value.text.first == "~" {
            throw refusal(
                key, value, rule: "must be a path; '~' stands for nothing here", hint: "write it out: /home/…")
        }
        return value.text
    }

    package func bool(_ key: SettingKey, default fallback: Bool) throws(Failure) -> Bool {
        guard let value = try value(key) else { return fallback }
        switch value.text.lowercased() {
        case "true", "yes", "1": return true
        case "false", "no", "0": return false
        default: throw refusal(key, value, rule: "must be true, false, yes, no, 1 or 0")
        }
    }

    package func integer(
        _ key: SettingKey, default fallback: Int?, in range: ClosedRange<Int>
    ) throws(Failure) -> Int? {
        guard let value = try value(key) else { return fallback }
        guard let number = Int(decimal: value.text), range.contains(number) else {
            throw refusal(
                key, value, rule: "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    package func duration(
        _ key: SettingKey, default fallback: Duration?, in range: ClosedRange<Duration>
    ) throws(Failure) -> Duration? {
        guard let value = try value(key) else { return fallback }
        guard let duration = Duration(setting: value.text) else {
            throw refusal(key, value, rule: "must be a duration such as 10, 10s, 5m or 1h")
        }
        guard range.contains(duration) else {
            let limits = "\(range.lowerBound.settingText) to \(range.upperBound.settingText)"
            throw refusal(key, value, rule: "must be a duration from \(limits)")
        }
        return duration
    }

    package func size(_ key: SettingKey, default fallback: Int?) throws(Failure) -> Int? {
        guard let value = try value(key) else { return fallback }
        guard let bytes = byteCount(value.text) else {
            throw refusal(key, value, rule: "must be a size such as 500K, 256M or 1G")
        }
        return bytes
    }

    package func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: SettingKey, default fallback: Choice
    ) throws(Failure) -> Choice where Choice.RawValue == String {
        guard let value = try value(key) else { return fallback }
        guard let choice = Choice(rawValue: value.text.lowercased()) else {
            let names = Choice.allCases.map(\.rawValue)
            let list = names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
            throw refusal(key, value, rule: "must be \(list)")
        }
        return choice
    }

    /// A URL with one of `schemes`, a host, and nothing that would break a request line.
    package func url(_ key: SettingKey, schemes: [String]) throws(Failure) -> String? {
        guard let value = try value(key) else { return nil }
        guard let separator = value.text[...].range(of: "://"),
            schemes.contains(value.text[..<separator.lowerBound].lowercased()),
            let first = value.text[separator.upperBound...].first, first != "/",
            !value.text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F })
        else {
            let list = schemes.map { $0 + "://" }.joined(separator: " or ")
            throw refusal(
                key, value, rule: "must be a URL that begins with \(list) and a host, without spaces")
        }
        return value.text
    }
}

extension Duration {
    /// `10`, `10s`, `500ms`, `5m`, `1h`, `30d`; nil for anything else.
    package init?(setting text: String) {
        let digits = text[...].prefix { $0.isASCII && $0.isNumber }
        let milliseconds: Int
        switch text[digits.endIndex...] {
        case "ms": milliseconds = 1
        case "", "s": milliseconds = 1000
        case "m": milliseconds = 60_000
        case "h": milliseconds = 3_600_000
        case "d": milliseconds = 86_400_000
        default: return nil
        }
        // A hundred years, so that sums with the clock stay far from overflow.
        guard let number = Int(decimal: digits), number <= 3_155_760_000_000 / milliseconds else { return nil }
        self = .milliseconds(number * milliseconds)
    }

    /// The shortest of the forms that `init(setting:)` reads.
    package var settingText: String {
        let all = milliseconds
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")]
        where all >= unit && all % unit == 0 {
            return "\(all / unit)\(name)"
        }
        return all == 0 ? "0s" : "\(all)ms"
    }
}

/// `1000`, `500K`, `256M`, `1G`, `2T`, with or without `B` or `iB`; units of 1,024.
package func byteCount(_ text: String) -> Int? {
    let digits = text[...].prefix { $0.isASCII && $0.isNumber }
    var unit = text[digits.endIndex...].uppercased()
    if unit.hasSuffix("IB") { unit.removeLast(2) } else if unit.hasSuffix("B") { unit.removeLast() }
    let shift: Int
    switch unit {
    case "": shift = 0
    case "K": shift = 10
    case "M": shift = 20
    case "G": shift = 30
    case "T": shift = 40
    default: return nil
    }
    guard let number = Int(decimal: digits), number < 1 << 20 || shift == 0 else { return nil }
    return number << shift
}
