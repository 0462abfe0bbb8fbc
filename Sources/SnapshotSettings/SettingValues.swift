import SnapshotBase

/// A type of setting values.
package protocol SettingValue: Sendable {
    /// Parses a value; nil if `text` is not valid. The setting's kind checks the range.
    init?(setting text: String)
    var settingDefault: SettingDefault { get }
}

extension Settings {
    /// The value of `setting`, or its default.
    /// - Throws: `Failure` if the value breaks the setting's rule or cannot be read.
    package subscript<Value: SettingValue>(_ setting: Setting<Value>) -> Value {
        get throws(Failure) {
            guard let found = try value(setting.declaration) else { return setting.defaultValue }
            if let flaw = setting.declaration.kind.flaw(in: found.text) {
                throw refusal(setting.declaration, found, rule: flaw.rule, hint: flaw.hint)
            }
            guard let value = Value(setting: found.text) else {
                throw refusal(setting.declaration, found, rule: "must be \(setting.declaration.kind.description)")
            }
            return value
        }
    }
}

extension String: SettingValue {
    package init?(setting text: String) { self = text }
    package var settingDefault: SettingDefault { .text(self) }
}

extension Bool: SettingValue {
    package init?(setting text: String) {
        switch text.lowercased() {
        case "true", "yes", "1": self = true
        case "false", "no", "0": self = false
        default: return nil
        }
    }

    package var settingDefault: SettingDefault { .flag(self) }
}

extension Int: SettingValue {
    /// Parses a number, or a size with its unit.
    package init?(setting text: String) {
        guard let count = byteCount(text) else { return nil }
        self = count
    }

    package var settingDefault: SettingDefault { .number(self) }
}

extension Optional: SettingValue where Wrapped: SettingValue {
    package init?(setting text: String) {
        guard let value = Wrapped(setting: text) else { return nil }
        self = value
    }

    package var settingDefault: SettingDefault { map(\.settingDefault) ?? .none }
}

extension Duration: SettingValue {
    /// Parses `10`, `10s`, `500ms`, `5m`, `1h` or `30d`; nil for anything else.
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
        // The limit of a hundred years keeps sums with clock times from overflowing.
        guard let number = Int(decimal: digits), number <= 3_155_760_000_000 / milliseconds else { return nil }
        self = .milliseconds(number * milliseconds)
    }

    package var settingDefault: SettingDefault { .duration(self) }

    /// The number with its largest unit that leaves no fraction; `init(setting:)` parses it back.
    package var settingText: String {
        let all = milliseconds
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")]
        where all >= unit && all % unit == 0 {
            return "\(all / unit)\(name)"
        }
        return all == 0 ? "0s" : "\(all)ms"
    }
}

/// Parses `1000`, `500K`, `256M`, `1G` or `2T`, with or without `B` or `iB`, in units of 1,024; nil for anything else.
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

/// The shortest form that `byteCount` parses back.
package func settingSize(_ bytes: Int) -> String {
    for (shift, unit) in [(40, "T"), (30, "G"), (20, "M"), (10, "K")] where bytes > 0 && bytes % (1 << shift) == 0 {
        return "\(bytes >> shift)\(unit)"
    }
    return "\(bytes)"
}
