import SnapshotBase

/// One setting, with the type of its value: name, kind, default, secrecy and meaning. `Key` lists all of them.
package struct Setting<Value: Sendable>: Sendable {
    package let declaration: SettingDeclaration
    /// The value if the setting is unset.
    package let defaultValue: Value

    package var key: String { declaration.key }

}

extension Setting where Value: SettingValue {
    /// - Parameters:
    ///   - secrecy: by default that of the kind, which hides any text.
    ///   - endsHoldOff: whose hold-off a change ends; see `SettingDeclaration.endsHoldOff`.
    init(
        _ key: String, _ typed: TypedSettingKind<Value>, default defaultValue: Value,
        secrecy: SettingDeclaration.Secrecy? = nil, endsHoldOff: HoldOffSide? = nil, _ meaning: String
    ) {
        self.defaultValue = defaultValue
        declaration = SettingDeclaration(
            key: key, kind: typed.kind, defaultValue: defaultValue.settingDefault,
            secrecy: secrecy ?? typed.kind.secrecy,
            endsHoldOff: endsHoldOff,
            meaning: meaning)
    }

    /// An optional setting.
    /// - Parameter otherwise: what applies if the setting is unset, in words.
    init<Wrapped>(
        _ key: String, _ typed: TypedSettingKind<Wrapped>, otherwise: String? = nil,
        secrecy: SettingDeclaration.Secrecy? = nil, endsHoldOff: HoldOffSide? = nil, _ meaning: String
    ) where Value == Wrapped? {
        defaultValue = nil
        declaration = SettingDeclaration(
            key: key, kind: typed.kind, defaultValue: otherwise.map { .words($0) } ?? .none,
            secrecy: secrecy ?? typed.kind.secrecy,
            endsHoldOff: endsHoldOff, meaning: meaning)
    }
}

/// Who may refuse credentials, so that they are held off.
package enum HoldOffSide: String, Sendable { case camera, store }

/// A setting without the type of its value. It is a class so that passing it around costs little at each start.
package final class SettingDeclaration: Sendable {
    /// How much of a value may be shown.
    package enum Secrecy: Sendable {
        /// The whole value.
        case open
        /// A URL without user, password and query, which often contain credentials.
        case url
        /// Like `url`, and also without the path, which is a credential.
        case urlWithSecretPath
        /// Nothing.
        case secret
    }

    package let key: String
    package let kind: SettingKind
    package let defaultValue: SettingDefault
    package let secrecy: Secrecy
    /// Whose hold-off a change of this setting ends. A hold-off ends when the fingerprint of the camera or store
    /// changes, so the fingerprint must contain the setting; only tests read this property.
    package let endsHoldOff: HoldOffSide?
    /// What the setting means, as a sentence.
    package let meaning: String

    init(
        key: String, kind: SettingKind, defaultValue: SettingDefault, secrecy: Secrecy, endsHoldOff: HoldOffSide?,
        meaning: String
    ) {
        self.key = key
        self.kind = kind
        self.defaultValue = defaultValue
        self.secrecy = secrecy
        self.endsHoldOff = endsHoldOff
        self.meaning = meaning
    }

    /// Whether `KEY_FILE` or systemd may provide the value in a file: true for secrets, and for URLs that may contain
    /// one.
    package var mayComeFromFile: Bool {
        switch secrecy {
        case .open: false
        case .url, .urlWithSecretPath, .secret: true
        }
    }

    /// The default as it would be written, or the rule that applies instead; nil if there is neither.
    package var defaultText: String? {
        switch defaultValue {
        case .none: nil
        case .flag(let value): value ? "true" : "false"
        case .number(let value): kind.isSize ? settingSize(value) : "\(value)"
        case .duration(let value): value.settingText
        case .text(let value), .words(let value): value
        }
    }
}

/// What applies if a setting is unset.
package enum SettingDefault: Sendable {
    case none
    case flag(Bool)
    case number(Int)
    case duration(Duration)
    case text(String)
    /// A rule instead of a value, e.g. `0.8 × CAPTURE_INTERVAL`.
    case words(String)
}
