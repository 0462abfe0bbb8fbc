import SnapshotBase
import SnapshotHTTP
import SnapshotKeys
import SnapshotSettings
import SnapshotState

/// Settings of the store `filesystem`: a folder.
package struct FilesystemSettings: StoreKind {
    package var path: String
    package var maxBytes: Int?
    package var maxAge: Duration?
    /// To stay free on the disk, in bytes; nil for no limit.
    package var minFree: Int?
    /// Makes the pictures' names, and recognises those of stored pictures that the ledger doesn't have.
    package var template: KeyTemplate
    package var camera: String
    let context: ProcessContext

    package var isBounded: Bool { maxBytes != nil || maxAge != nil || minFree != nil }

    package init(_ settings: Settings) throws(Failure) {
        path = withoutSlashAtEnd(try settings[Key.localStoragePath])
        template = try KeyTemplate(settings)
        camera = try settings[Key.cameraName]
        context = settings.context
        maxBytes = try settings[Key.localStorageMaxBytes]
        maxAge = try settings[Key.localStorageMaxAge]
        minFree = try settings[Key.localStorageMinFree]
    }

    package var fingerprint: String { "filesystem \(path)" }
    package var folder: String? { path }
    package func location(of key: String) -> String { path == "/" ? "/" + key : path + "/" + key }
    package var trial: StoreTrial { .folder(self) }

    package func open(client: HTTPClient, record: Record?, now: Now, statePath: String) -> any Store {
        FilesystemStore(settings: self, statePath: statePath)
    }
}
