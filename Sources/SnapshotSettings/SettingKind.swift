import SnapshotBase

/// The kind of a setting's value.
package enum SettingKind: Sendable {
    case text
    /// Text in a special form, described in words; the code that uses the value checks it.
    case form(String)
    /// Like `form`, but any character may occur in it.
    case freeForm(String)
    /// Like `freeForm`, with several lines.
    case lines(String)
    case path
    case flag
    case number(ClosedRange<Int>)
    case size(ClosedRange<Int>)
    case duration(ClosedRange<Duration>)
    case choice(@Sendable () -> [String])
    case url(schemes: @Sendable () -> [String])

    /// Whether a value may contain a blank and `#`, so that a trailing comment is ambiguous.
    var isFreeText: Bool {
        switch self {
        case .text, .freeForm, .lines, .path: true
        case .flag, .number, .size, .duration, .choice, .url, .form: false
        }
    }

    /// How much of a value may be shown if the declaration doesn't say it: nothing of a text, which may be a secret.
    var secrecy: SettingDeclaration.Secrecy {
        switch self {
        case .text, .form, .freeForm, .lines: .secret
        case .url: .url
        case .path, .flag, .number, .size, .duration, .choice: .open
        }
    }

    package var mayHaveLines: Bool { if case .lines = self { true } else { false } }
    var isSize: Bool { if case .size = self { true } else { false } }

    /// The kind in words, for tables.
    package var description: String {
        switch self {
        case .text: "text"
        case .form(let words), .freeForm(let words), .lines(let words): words
        case .path: "path"
        case .flag: "true or false"
        case .number(let range): "whole number, \(range.lowerBound) to \(range.upperBound)"
        case .size(let range) where range == Self.anySize: "size such as 256M"
        case .size(let range): "size, \(settingSize(range.lowerBound)) to \(settingSize(range.upperBound))"
        case .duration(let range): "duration, \(range.lowerBound.settingText) to \(range.upperBound.settingText)"
        case .choice(let names): alternatives(names())
        case .url(let schemes): "URL (\(alternatives(schemes())))"
        }
    }

    static let anySize = 0...(1 << 60)

    /// The rule that `text` breaks, and a hint; nil if `text` is valid.
    func flaw(in text: String) -> (rule: String, hint: String?)? {
        switch self {
        case .text, .form, .freeForm, .lines: nil
        case .path: unexpandedFlaw(in: text) ?? urlFlaw(inPath: text) ?? privateTmpFlaw(inPath: text)
        case .flag: Bool(setting: text) == nil ? ("must be true, false, yes, no, 1 or 0", nil) : nil
        case .number(let range):
            Int(decimal: text).map(range.contains) == true
                ? nil : ("must be a whole number from \(range.lowerBound) to \(range.upperBound)", nil)
        case .size(let range):
            switch byteCount(text) {
            case nil: ("must be a size such as 500K, 256M or 1G", nil)
            case let size? where !range.contains(size):
                ("must be a size from \(settingSize(range.lowerBound)) to \(settingSize(range.upperBound))", nil)
            default: nil
            }
        case .duration(let range):
            switch Duration(setting: text) {
            case nil: ("must be a duration such as 10, 10s, 5m or 1h", nil)
            case let duration? where !range.contains(duration):
                ("must be a duration from \(range.lowerBound.settingText) to \(range.upperBound.settingText)", nil)
            default: nil
            }
        case .choice(let names):
            names().contains { $0.lowercased() == text.lowercased() } ? nil : ("must be \(alternatives(names()))", nil)
        case .url(let schemes): isURL(text, schemes()) ? unexpandedFlaw(inURL: text) : (Self.urlRule(schemes()), nil)
        }
    }

    private static func urlRule(_ schemes: [String]) -> String {
        let list = schemes.map { $0 + "://" }.joined(separator: " or ")
        return "must be a URL that begins with \(list) and a host, without spaces"
    }
}

/// A kind, together with the type of its values.
struct TypedSettingKind<Value> {
    let kind: SettingKind
}

extension TypedSettingKind where Value == String {
    static var text: Self { Self(kind: .text) }
    static func form(_ words: String) -> Self { Self(kind: .form(words)) }
    static func freeForm(_ words: String) -> Self { Self(kind: .freeForm(words)) }
    static func lines(_ words: String) -> Self { Self(kind: .lines(words)) }
    static var path: Self { Self(kind: .path) }
    /// An http or https URL with a host, without white space and control characters.
    static var webURL: Self { Self(kind: .url { ["http", "https"] }) }
    static var rtspURL: Self { Self(kind: .url { ["rtsp"] }) }
}

extension TypedSettingKind where Value == Bool {
    static var flag: Self { Self(kind: .flag) }
}

extension TypedSettingKind where Value == Int {
    static func number(_ range: ClosedRange<Int>) -> Self { Self(kind: .number(range)) }
    static var size: Self { Self(kind: .size(SettingKind.anySize)) }
    /// A size in bytes; its units are powers of 1,024.
    static func size(_ range: ClosedRange<Int>) -> Self { Self(kind: .size(range)) }
}

extension TypedSettingKind where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> Self { Self(kind: .duration(range)) }
}

extension TypedSettingKind where Value: SettingChoice {
    static var choice: Self { Self(kind: .choice { Value.allCases.map(\.rawValue) }) }
}

/// Joins words as `a, b or c`.
package func alternatives(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " or " + last
}

/// Whether `text` has one of `schemes` and a host, and contains no white space or control characters.
package func isURL(_ text: String, _ schemes: [String]) -> Bool {
    guard let separator = text[...].range(of: "://"),
        schemes.contains(text[..<separator.lowerBound].lowercased()),
        let first = text[separator.upperBound...].first, first != "/"
    else { return false }
    return !text.utf8.contains { $0 <= 0x20 || $0 == 0x7F }
}
