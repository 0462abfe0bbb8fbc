import SnapshotBase
import SnapshotSettings

/// `STATE_PATH`, else systemd's `STATE_DIRECTORY`, else `./state`.
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

/// systemd puts several directories into one variable, with colons between.
package func firstDirectory(_ list: String) -> String {
    String(list.prefix { $0 != ":" })
}
