import SnapshotBase
import SnapshotHTTP
import SnapshotKeys
import SnapshotSettings
import SnapshotStore

/// The settings of RECORD_UPLOAD: those of the store, as captures have them, with a longer default for UPLOAD_DEADLINE.
package struct RecordingUploadSettings: Sendable {
    package var store: any StoreKind
    package var keyTemplate: KeyTemplate
    package var attempts: Int
    /// After this time no further attempt at a recording begins.
    package var deadline: Duration
    package var timeouts: UploadTimeouts
    /// In bytes a second.
    package var rate: Int?
    package let context: ProcessContext

    init(_ settings: Settings) throws(Failure) {
        context = settings.context
        store = try StoreKinds.read(settings)
        keyTemplate = try KeyTemplate(settings)
        attempts = try settings[Key.uploadAttempts]
        // A recording is as large as hundreds of pictures.
        deadline = try settings[Key.uploadDeadline] ?? .seconds(300)
        timeouts = try uploadTimeouts(settings)
        rate = try settings[Key.uploadRate]
    }
}
