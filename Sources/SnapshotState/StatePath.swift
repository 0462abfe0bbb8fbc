import SnapshotBase
import SnapshotSettings

/// The state directory: `STATE_PATH`, else systemd's `STATE_DIRECTORY`, else `./state`.
/// - Throws: `Failure` with the code `settings` if its name is reserved.
package func stateDirectory(_ settings: Settings) throws(Failure) -> String {
    let path = try namedStateDirectory(settings)
    if let refusal = InstanceName.refusal(ofState: path, settingsPath: settings.path) { throw refusal }
    return path
}

private func namedStateDirectory(_ settings: Settings) throws(Failure) -> String {
    if let path = try settings[Key.statePath] { return path }
    if let path = settings.context.environment["STATE_DIRECTORY"], !path.isEmpty { return firstDirectory(path) }
    return "./state"
}

/// The first directory of systemd's variable, which separates several by colons.
package func firstDirectory(_ list: String) -> String {
    String(list.prefix { $0 != ":" })
}
