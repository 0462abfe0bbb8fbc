import Glibc
import SnapshotBase
import SnapshotSettings

extension Settings {
    /// The settings for the rest of the run. As root, this first reads the files that hold secrets, and the files that
    /// AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name, then switches to the owner of STATE_PATH. Paths below the
    /// home, such as `~/.aws/credentials`, are then that owner's.
    /// - Parameters:
    ///   - makesState: whether to create a missing STATE_PATH for an owner other than root.
    ///   - readsSecrets: whether the files of secrets are read.
    package func asOwner(makesState: Bool, readsSecrets: Bool = true) throws(Failure) -> Settings {
        guard geteuid() == 0 else { return self }
        var settings = self
        if readsSecrets { settings.readNamedFiles() }
        try Owner.become(
            ofState: stateDirectory(settings), settingsPath: path, makesState: makesState,
            &settings.context.environment)
        return settings
    }
}
