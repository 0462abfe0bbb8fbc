import Glibc

/// Messages on standard error, one printable line each. Under systemd each line begins with its priority, so that
/// `LogLevelMax=` can filter.
package struct Log: Sendable {
    /// The priorities of syslog and systemd.
    package enum Level: Int, Sendable { case error = 3, warning = 4, notice = 5, info = 6, debug = 7 }

    package var isVerbose: Bool
    private let program: String
    /// Whether standard error goes to systemd's journal.
    package let isJournal: Bool

    package init(_ program: String, isVerbose: Bool = false, in context: ProcessContext) {
        self.program = program
        self.isVerbose = isVerbose
        isJournal = context.goesToJournal(2)
    }

    package func write(_ level: Level, _ text: String) {
        let prefix = isJournal ? "<\(level.rawValue)>" : ""
        writeText(to: 2, "\(prefix)\(program): \(text)\n")
    }

    package func verbose(_ text: @autoclosure () -> String) {
        if isVerbose { write(.debug, text()) }
    }

    package func report(_ failure: Failure) {
        write(.error, "error: \(failure)")
        if let hint = failure.hint { write(.error, "hint: \(hint)") }
        if let cause = failure.cause { verbose("cause: \(String(reflecting: cause))") }
    }

    package func warn(_ text: String) { write(.warning, "warning: \(text)") }
}
