import Glibc
import SnapshotBase
import SnapshotSettings

extension Settings {
    /// These settings for the rest of the run. As root, all that they name is read first, and then this process becomes
    /// the owner of STATE_PATH; only then other values, as `~/.aws/credentials`, are looked for.
    /// - Parameter makesState: makes a missing STATE_PATH for a user that isn't root.
    package func asOwner(makesState: Bool) throws(Failure) -> Settings {
        guard geteuid() == 0 else { return self }
        var settings = self
        settings.holdFiles()
        try Owner.become(
            ofState: stateDirectory(settings), settingsPath: path, makesState: makesState,
            &settings.context.environment)
        return settings
    }
}
