import SnapshotBase

/// Calls `systemctl`.
package struct Systemd: Sendable {
    private let environment: Environment

    package init(_ environment: Environment) { self.environment = environment }

    /// Runs `systemctl` with these arguments, for 30 s at most; throws where it fails.
    package func run(_ arguments: String...) throws(Failure) {
        let result = try call(arguments)
        guard result.ending == .exited(0) else {
            throw .settings(
                "cannot do", "systemctl \(arguments.joined(separator: " "))", why: "\(ForeignText(result.stderrTail))",
                hint: "systemctl status \(arguments.last ?? "")")
        }
    }

    /// Whether the unit is active; throws where `systemctl` can't be run.
    package func isActive(_ unit: String) throws(Failure) -> Bool {
        try call(["--quiet", "is-active", unit]).ending == .exited(0)
    }

    private func call(_ arguments: [String]) throws(Failure) -> ChildResult {
        let command = Command("systemctl", arguments, environment: environment)
        return try Child.run(command, outputLimit: 4096, deadline: .after(.seconds(30)))
    }
}
