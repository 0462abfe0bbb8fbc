import SnapshotBase
import SnapshotCore

/// Where finished segments go.
package struct SegmentUploadSettings: Sendable {
    package var store: StoreSettings
    package var keyTemplate: KeyTemplate
    package var attempts: Int
    package var deadline: Duration

    init(_ settings: Settings) throws(Failure) {
        store = try StoreSettings(settings)
        keyTemplate = try KeyTemplate(settings)
        attempts = try settings.integer(.uploadAttempts, default: 3, in: 1...100) ?? 3
        // A segment is as large as hundreds of pictures.
        deadline =
            try settings.duration(
                .uploadDeadline, default: .seconds(300), in: .milliseconds(100)...(.seconds(86400)))
            ?? .seconds(300)
    }
}
