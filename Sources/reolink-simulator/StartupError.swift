/// An error that keeps the simulator from starting, with a hint where one helps.
struct StartupError: Error, CustomStringConvertible {
    let subject: String
    let reason: String
    let hint: String?

    init(_ subject: String, _ reason: String, hint: String? = nil) {
        self.subject = subject
        self.reason = reason
        self.hint = hint
    }

    var description: String { "\(subject): \(reason)" }
}
