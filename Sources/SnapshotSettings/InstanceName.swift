import SnapshotBase

/// The names of additional cameras: NAME in `/etc/snapshot/NAME.env`, `snapshot@NAME.timer` and `STATE_PATH/NAME`.
package enum InstanceName {
    /// Names that no instance may have: `snapshot` has files or folders of these names beside those of instances, or in
    /// the folders of pictures and video.
    package static let reserved = [
        "credentials", "forgotten", "hls", "lock", "lost+found", "record", "relay", "snapshots", "spool",
        "stream_output",
        "web",
    ]

    /// The instance that a settings file belongs to; nil for the common file and files elsewhere.
    package static func of(settingsPath: String?) -> String? {
        let directory = parentDirectory(Settings.systemPath)
        guard let settingsPath, settingsPath != Settings.systemPath, parentDirectory(settingsPath) == directory,
            settingsPath.hasSuffix(".env")
        else { return nil }
        let name = settingsPath.dropFirst(directory.utf8.count + 1).dropLast(4)
        return name.isEmpty ? nil : String(name)
    }

    /// The instances that have a settings file; empty if this user may not list the folder.
    package static func all() -> [String] {
        let directory = parentDirectory(Settings.systemPath)
        let files = (try? listDirectory(directory)) ?? []
        return files.compactMap { of(settingsPath: "\(directory)/\($0)") }.filter { !reserved.contains($0) }.sorted()
    }

    /// The error for an instance with a reserved name; nil for other names.
    package static func refusal(of name: String) -> Failure? {
        guard reserved.contains(name) else { return nil }
        return .settings(
            "refused", "instance \(name)", why: "the name is that of a file or folder of snapshot's own",
            hint: "give the camera's settings file another name, such as \(name)-camera.env")
    }

    /// The error for a name that cannot be part of a unit's name; nil if it can.
    package static func refusal(ofUnit name: String) -> Failure? {
        let isName = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-_.".utf8.contains(byte)
        }
        guard isName, !name.isEmpty, name.utf8.count <= 64, !name.hasPrefix(".") else {
            return Failure(
                .own(.usage), "refused", "--instance", why: "not a name for a camera's units",
                hint: "use letters, digits, '-', '_' and '.'")
        }
        return refusal(of: name)
    }

    /// The error for a state folder that has a reserved name and lies where instances have theirs; nil for others.
    package static func refusal(ofState path: String, settingsPath: String?) -> Failure? {
        var folder = path[...]
        while folder.utf8.count > 1, folder.utf8.last == UInt8(ascii: "/") { folder.removeLast() }
        let name = folder.cutAtLast("/").map { String($0.1) } ?? String(folder)
        guard let refusal = refusal(of: name) else { return nil }
        let parent = parentDirectory(String(folder))
        let isInstance =
            of(settingsPath: settingsPath) == name || parent == "/var/lib/snapshot"
            || fileExists(parent + "/state.jsonl")
        return isInstance ? refusal : nil
    }
}
