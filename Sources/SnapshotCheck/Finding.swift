import SnapshotBase

/// The result of one step of `snapshot check`.
package struct Finding: Sendable {
    package enum Result: String, JSONValue, Sendable { case passed, failed, skipped }

    /// What was checked, in a word or two.
    package var subject: String
    package var result: Result
    /// The result, in one line.
    package var text: String
    /// What to do about it, if anything.
    package var hint: String?
    /// Whether it is needed for taking and storing pictures.
    package var isNecessary = true
    /// The exit code for this failure; 0 unless it failed.
    package var exitCode: Int32 = 0
    /// The failure's code, as in health and metrics.
    package var code: Failure.Code?
    /// Values for scripts; the name says the unit.
    package var facts: [String: JSON] = [:]

    /// Whether this finding keeps pictures from being taken or stored.
    package var isFailure: Bool { result == .failed && isNecessary }

    private init(_ subject: String, _ result: Result, _ text: String, hint: String?) {
        self.subject = subject
        self.result = result
        self.text = text
        self.hint = hint
    }

    package static func passed(
        _ subject: String, _ text: String, hint: String? = nil, facts: [String: JSON] = [:]
    ) -> Finding {
        var finding = Finding(subject, .passed, text, hint: hint)
        finding.facts = facts
        return finding
    }

    static func skipped(_ subject: String, _ why: String, hint: String? = nil) -> Finding {
        var finding = Finding(subject, .skipped, why, hint: hint)
        finding.isNecessary = false
        return finding
    }

    package static func failed(_ subject: String, _ failure: Failure) -> Finding {
        var finding = Finding(subject, .failed, "\(failure)", hint: failure.hint)
        finding.exitCode = failure.exitCode
        finding.code = failure.code
        return finding
    }

    /// The finding that something is wrong, though pictures can be taken and stored.
    static func remark(_ subject: String, _ text: String, hint: String? = nil) -> Finding {
        var finding = Finding(subject, .failed, text, hint: hint)
        finding.isNecessary = false
        return finding
    }

    /// The finding for scripts.
    package var json: JSON { object.json }

    /// The finding as the check in the service's sandbox sends it to the process outside: one line, with the exit code.
    package var line: JSON {
        var object = object
        object.append("exit", .integer(Int(exitCode)))
        return object.json
    }

    private var object: JSONObject {
        [
            "name": subject, "result": result, "necessary": isNecessary, "found": text, "hint": hint, "code": code,
            "facts": facts.isEmpty ? nil : facts,
        ]
    }

    /// Parses a `line`; nil where it isn't one.
    package init?(json: JSON) {
        guard let subject = json["name"]?.string, let text = json["found"]?.string,
            let result = json["result"]?.string.flatMap(Result.init(rawValue:))
        else { return nil }
        self.init(subject, result, text, hint: json["hint"]?.string)
        if case .bool(let necessary)? = json["necessary"] { isNecessary = necessary }
        exitCode = Int32(clamping: json["exit"]?.integer ?? 0)
        code = json["code"]?.string.map(Failure.Code.init(rawValue:))
        if case .object(let object)? = json["facts"] {
            for member in object.members { facts[member.name] = member.value }
        }
    }
}
