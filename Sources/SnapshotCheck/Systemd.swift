import SnapshotBase

/// Calls `systemctl`.
struct Systemd: Sendable {
    let environment: Environment

    /// Properties of a unit with all its drop-ins; nil where systemctl fails.
    func properties(of unit: String, _ names: [String], until deadline: Deadline) -> [String: String]? {
        guard let output = call(["show", unit] + names.map { "--property=\($0)" }, until: deadline) else { return nil }
        let lines = output.split(separator: "\n")
        return lines.reduce(into: [:]) { facts, line in
            guard let equals = line.firstIndex(of: "=") else { return }
            // A timer may have several lines of one name.
            let name = String(line[..<equals])
            facts[name] = [facts[name], String(line[line.index(after: equals)...])].compactMap(\.self).joined(
                separator: " ")
        }
    }

    /// - Returns: its output, at most 1 MiB; nil where it fails or isn't there.
    @discardableResult
    func call(_ arguments: [String], until deadline: Deadline) -> String? {
        let command = Command("systemctl", arguments, environment: environment)
        guard let result = try? Child.run(command, outputLimit: 1 << 20, deadline: deadline),
            result.ending == .exited(0)
        else { return nil }
        return String(decoding: result.output, as: UTF8.self)
    }
}
