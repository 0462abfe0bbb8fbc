import SnapshotBase
import SnapshotProcesses

/// Calls `systemctl`.
package struct Systemd: Sendable {
    let environment: Environment

    package init(_ environment: Environment) { self.environment = environment }

    /// Runs `systemctl` with these arguments, for 30 s at most; throws where it fails.
    package func run(_ arguments: String...) throws(Failure) {
        let result = try call(arguments, until: .after(.seconds(30)))
        guard result.ending == .exited(0) else {
            throw .settings(
                "cannot run", "systemctl \(arguments.joined(separator: " "))", why: "\(ForeignText(result.stderrTail))",
                hint: "systemctl status \(arguments.last ?? "")")
        }
    }

    /// Whether the unit is active; throws where `systemctl` can't be run.
    package func isActive(_ unit: String) throws(Failure) -> Bool {
        try call(["--quiet", "is-active", unit], until: .after(.seconds(30))).ending == .exited(0)
    }

    /// The addresses at which a socket unit listens, as `127.0.0.1:8080`.
    package func listening(_ unit: String) -> [String] {
        let listen = properties(of: unit, ["Listen"], until: .after(.seconds(30)))?["Listen"] ?? ""
        return listen.split(separator: " ").filter { !$0.hasPrefix("(") }.map { String($0) }
    }

    /// Properties of a unit with all its drop-ins; nil where systemctl fails.
    func properties(of unit: String, _ names: [String], until deadline: Deadline) -> [String: String]? {
        guard let output = output(["show", unit] + names.map { "--property=\($0)" }, until: deadline) else {
            return nil
        }
        let lines = output.split(separator: "\n")
        return lines.reduce(into: [:]) { facts, line in
            guard let equals = line.firstIndex(of: "=") else { return }
            // A timer may have several lines of one name.
            let name = String(line[..<equals])
            facts[name] = [facts[name], String(line[line.index(after: equals)...])].compactMap(\.self).joined(
                separator: " ")
        }
    }

    /// - Returns: what it prints, at most 1 MiB; nil where it fails or isn't there.
    @discardableResult
    func output(_ arguments: [String], until deadline: Deadline) -> String? {
        guard let result = try? call(arguments, until: deadline), result.ending == .exited(0) else { return nil }
        return String(decoding: result.output, as: UTF8.self)
    }

    private func call(_ arguments: [String], until deadline: Deadline) throws(Failure) -> ChildResult {
        try Child.run(
            Command("systemctl", arguments, environment: environment), outputLimit: 1 << 20, deadline: deadline)
    }
}
