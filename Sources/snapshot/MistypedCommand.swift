import SnapshotBase
import SnapshotSettings

/// Refuses a first argument that isn't a command. The default command is `capture`, so the parser would take such a
/// word for an argument of it.
enum MistypedCommand {
    /// - Parameter arguments: without the program's name.
    /// - Returns: nil where the first argument is a command or an option, or is missing.
    static func refusal(_ arguments: [String], commands: [String]) -> (error: String, hint: String)? {
        guard let first = arguments.first, !first.hasPrefix("-"), !commands.contains(first) else { return nil }
        let meant = nearest(to: first.lowercased(), among: commands)
        return (
            "there is no command '\(first.printable(limit: 64))'",
            meant.map { "did you mean snapshot \($0)?" } ?? "see snapshot --help"
        )
    }
}
