import SnapshotBase

/// The report on one setting for users: its declaration and its current value, but never that of a secret.
package struct SettingReport: Sendable {
    package let declaration: SettingDeclaration
    /// The value in force; nil if there is none, if it is secret, or if it is refused.
    package let value: String?
    /// The value that breaks the setting's rule, so that commands end with an error; nil if it is valid or secret.
    package let refused: String?
    package let origin: String
    /// Why the value is invalid or cannot be read; nil if it is valid.
    package let failure: Failure?

    /// - Parameter refusals: what the code that uses the values has refused; flaws in a value's form are found here.
    package init(_ declaration: SettingDeclaration, _ settings: Settings, refusals: [Failure] = []) {
        self.declaration = declaration
        do throws(Failure) {
            guard let found = try settings.value(declaration) else {
                value = declaration.isSecret ? nil : declaration.defaultValue.isWords ? nil : declaration.defaultText
                (refused, origin, failure) = (nil, "default", nil)
                return
            }
            origin = found.origin.description
            let flaw = declaration.kind.flaw(in: found.text).map {
                settings.refusal(declaration, found, rule: $0.rule, hint: $0.hint)
            }
            failure = flaw ?? refusals.first { $0.setting == declaration.key }
            let shown = declaration.shown(found.text)
            (value, refused) = failure == nil ? (shown, nil) : (nil, shown)
        } catch {
            (value, refused, origin, failure) = (nil, nil, "unreadable", error)
        }
    }

    package var json: JSON {
        var object: JSONObject = [
            "key": declaration.key, "kind": declaration.kind.description,
            "default": declaration.defaultText.map { .string($0) } ?? JSON.null, "secret": declaration.isSecret,
            "meaning": declaration.meaning, "value": value.map { .string($0) } ?? JSON.null, "origin": origin,
        ]
        if let failure {
            object.append("refused", refused.map { .string($0) } ?? JSON.null)
            object.append("error", .string("\(failure)"))
        }
        return .object(object)
    }

    /// One line with the value and one with the meaning.
    package var text: String {
        let shown = declaration.isSecret && origin != "default" ? "(secret)" : value ?? refused ?? ""
        let mark = failure == nil || origin == "unreadable" ? origin : "refused, \(origin)"
        let standard = declaration.defaultText.map { $0.isEmpty ? "" : "; default \($0)" } ?? ""
        return
            "\(declaration.key)=\(shown)  (\(mark))\n    \(declaration.meaning) [\(declaration.kind.description)\(standard)]"
            + (failure.map { "\n    error: \($0)" } ?? "")
    }
}

extension SettingDeclaration {
    package var isSecret: Bool { if case .secret = secrecy { true } else { false } }
}

extension SettingDefault {
    fileprivate var isWords: Bool { if case .words = self { true } else { false } }
}
