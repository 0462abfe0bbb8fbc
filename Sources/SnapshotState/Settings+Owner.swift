import Glibc
import SnapshotBase
import SnapshotSettings

extension Settings {
    /// The settings for the rest of the run. As root, this first reads the files that hold secrets, and AWS's config
    /// and credentials files, then switches to the owner of STATE_PATH; paths that depend on the home, such as
    /// `~/.aws/credentials`, are that owner's.
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
