import SnapshotBase

/// One setting: its name, what a value may be, its default, who may see it, and what it means. `Key` holds them all.
package struct Setting<Value: Sendable>: Sendable {
    package let declaration: SettingDeclaration
    /// The value where the setting is unset.
    package let fallback: Value

    package var key: String { declaration.key }

}

extension Setting where Value: SettingValue {
    /// - Parameter refusal: whose refused credentials are tried again as soon as this setting changes.
    init(
        _ key: String, _ form: SettingForm<Value>, default fallback: Value,
        secrecy: SettingDeclaration.Secrecy = .open, refusal: Refusal? = nil, _ meaning: String
    ) {
        self.fallback = fallback
        declaration = SettingDeclaration(
            key: key, kind: form.kind, fallback: fallback.settingDefault, secrecy: secrecy, refusal: refusal,
            meaning: meaning)
    }

    /// A setting without a value of its own.
    /// - Parameter otherwise: what holds where it is unset, in words.
    init<Wrapped>(
        _ key: String, _ form: SettingForm<Wrapped>, otherwise: String? = nil,
        secrecy: SettingDeclaration.Secrecy = .open, refusal: Refusal? = nil, _ meaning: String
    ) where Value == Wrapped? {
        fallback = nil
        declaration = SettingDeclaration(
            key: key, kind: form.kind, fallback: otherwise.map { .words($0) } ?? .none, secrecy: secrecy,
            refusal: refusal, meaning: meaning)
    }
}

/// Who may refuse credentials.
package enum Refusal: String, Sendable { case camera, store }

/// A setting without the type of its value. A class, so that to hand one on costs next to nothing at each start.
package final class SettingDeclaration: Sendable {
    /// How much of a value may be shown.
    package enum Secrecy: Sendable {
        /// All of it.
        case open
        /// Without user, password and query, which often are keys.
        case url
        /// Like `url`, and without the path, which is what opens the place.
        case urlWithSecretPath
        /// Nothing.
        case secret
    }

    package let key: String
    package let kind: SettingKind
    package let fallback: SettingDefault
    package let secrecy: Secrecy
    package let refusal: Refusal?
    /// A sentence.
    package let meaning: String

    init(
        key: String, kind: SettingKind, fallback: SettingDefault, secrecy: Secrecy, refusal: Refusal?, meaning: String
    ) {
        self.key = key
        self.kind = kind
        self.fallback = fallback
        self.secrecy = secrecy
        self.refusal = refusal
        self.meaning = meaning
    }

    /// Secrets, and URLs that may carry one, can be given as files.
    package var mayComeFromFile: Bool {
        switch secrecy {
        case .open: false
        case .url, .urlWithSecretPath, .secret: true
        }
    }

    /// The default as it would be written, or what holds instead; nil where there is neither.
    package var fallbackText: String? {
        switch fallback {
        case .none: nil
        case .flag(let value): value ? "true" : "false"
        case .number(let value): kind.isSize ? settingSize(value) : "\(value)"
        case .duration(let value): value.settingText
        case .text(let value), .words(let value): value
        }
    }
}

/// What holds where a setting is unset.
package enum SettingDefault: Sendable {
    case none
    case flag(Bool)
    case number(Int)
    case duration(Duration)
    case text(String)
    /// No value but a rule, such as `0.8 × CAPTURE_INTERVAL`.
    case words(String)
}
