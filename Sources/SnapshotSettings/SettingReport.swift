import SnapshotBase

/// The report on one setting for users: its declaration and its current value, but never that of a secret.
package struct SettingReport: Sendable {
    package let declaration: SettingDeclaration
    /// The current value; nil if the setting is secret, or unset without a default.
    package let value: String?
    package let origin: String
    /// Why the value is invalid or cannot be read; nil if it is valid.
    package let failure: Failure?

    package init(_ declaration: SettingDeclaration, _ settings: Settings) {
        self.declaration = declaration
        do throws(Failure) {
            guard let found = try settings.value(declaration) else {
                value = declaration.isSecret ? nil : declaration.fallback.isWords ? nil : declaration.fallbackText
                origin = "default"
                failure = nil
                return
            }
            value = declaration.shown(found.text)
            origin = found.origin.description
            failure = declaration.kind.flaw(in: found.text).map {
                settings.refusal(declaration, found, rule: $0.rule, hint: $0.hint)
            }
        } catch {
            (value, origin, failure) = (nil, "unreadable", error)
        }
    }

    package var json: JSON {
        var object: JSONObject = [
            "key": declaration.key, "kind": declaration.kind.description,
            "default": declaration.fallbackText.map { .string($0) } ?? JSON.null, "secret": declaration.isSecret,
            "meaning": declaration.meaning, "value": value.map { .string($0) } ?? JSON.null, "origin": origin,
        ]
        if let failure { object.append("error", .string("\(failure)")) }
        return .object(object)
    }

    /// One line with the value and one with the meaning.
    package var text: String {
        let shown = declaration.isSecret && origin != "default" ? "(secret)" : value ?? ""
        let standard = declaration.fallbackText.map { $0.isEmpty ? "" : "; default \($0)" } ?? ""
        return
            "\(declaration.key)=\(shown)  (\(origin))\n    \(declaration.meaning) [\(declaration.kind.description)\(standard)]"
            + (failure.map { "\n    error: \($0)" } ?? "")
    }
}

extension SettingDeclaration {
    package var isSecret: Bool { if case .secret = secrecy { true } else { false } }
}

extension SettingDefault {
    fileprivate var isWords: Bool { if case .words = self { true } else { false } }
}
