import Glibc
import SnapshotBase
import SnapshotSettings

/// The settings of systemd's units, used from a shell or by cron: there systemd hands over no secrets.
struct ServiceSettings {
    /// Where systemd takes them; nil where it has handed them over, and where there are none.
    private let credentials: String?

    /// - Returns: nil if these are somebody else's settings.
    init?(_ settings: Settings) {
        let instance = InstanceName.of(settingsPath: settings.path)
        guard settings.path == Settings.systemPath || instance != nil else { return nil }
        let root = parentDirectory(Settings.systemPath) + "/credentials"
        let directory = instance.map { "\(root)/\($0)" } ?? root
        // Of what lies in a directory that can't be entered, not even this can be known.
        let mayBeThere = access(directory, F_OK) == 0 || (errno == EACCES && fileExists(root))
        let isHandedOver = settings.context.environment["CREDENTIALS_DIRECTORY"] != nil
        credentials = !isHandedOver && mayBeThere ? directory : nil
    }

    private var areReadable: Bool { credentials.map { access($0, R_OK | X_OK) == 0 } ?? false }

    /// What root may read as systemd does.
    var readableCredentials: String? { areReadable ? credentials : nil }

    /// What the units read and this user may not.
    var lockedCredentials: String? { areReadable ? nil : credentials }
}
