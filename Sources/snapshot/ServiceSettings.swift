import Glibc
import SnapshotBase
import SnapshotSettings

/// Finds the secrets of systemd's units for a command in a shell or under cron, where systemd passes none.
struct ServiceSettings {
    /// The directory of the secrets; nil where systemd has passed them, or where there are none.
    private let credentials: String?

    /// - Returns: nil unless these are the settings of a systemd unit.
    init?(_ settings: Settings) {
        let instance = InstanceName.of(settingsPath: settings.path)
        guard settings.path == Settings.systemPath || instance != nil else { return nil }
        let root = parentDirectory(Settings.systemPath) + "/credentials"
        let directory = instance.map { "\(root)/\($0)" } ?? root
        // In a directory that this user can't enter, it is unknown whether there are secrets: assume there are.
        let mayBeThere = access(directory, F_OK) == 0 || (errno == EACCES && fileExists(root))
        let isHandedOver = settings.context.environment["CREDENTIALS_DIRECTORY"] != nil
        credentials = !isHandedOver && mayBeThere ? directory : nil
    }

    private var areReadable: Bool { credentials.map { access($0, R_OK | X_OK) == 0 } ?? false }

    /// The directory, if this user (root) may read it.
    var readableCredentials: String? { areReadable ? credentials : nil }

    /// The directory, if the units read it and this user may not.
    var lockedCredentials: String? { areReadable ? nil : credentials }
}
