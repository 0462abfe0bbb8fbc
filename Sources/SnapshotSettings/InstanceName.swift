import SnapshotBase

/// The camera whose own settings file that is: NAME of `/etc/snapshot/NAME.env`, unless it is everybody's.
package func instanceName(_ settingsPath: String?) -> String? {
    let directory = parentDirectory(Settings.systemPath)
    guard let settingsPath, settingsPath != Settings.systemPath, parentDirectory(settingsPath) == directory,
        settingsPath.hasSuffix(".env")
    else { return nil }
    let name = settingsPath.dropFirst(directory.utf8.count + 1).dropLast(4)
    return name.isEmpty ? nil : String(name)
}
