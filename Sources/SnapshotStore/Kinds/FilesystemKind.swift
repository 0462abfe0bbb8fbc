import SnapshotBase
import SnapshotHTTP
import SnapshotSettings
import SnapshotState

/// A folder.
package struct FilesystemSettings: StoreKind {
    package var path: String
    package var maxBytes: Int?
    package var maxAge: Duration?
    package var minFree: Int?

    package init(_ settings: Settings) throws(Failure) {
        path = try settings[Key.localStoragePath]
        maxBytes = try settings[Key.localStorageMaxBytes]
        maxAge = try settings[Key.localStorageMaxAge]
        minFree = try settings[Key.localStorageMinFree]
    }

    package var fingerprint: String { "filesystem \(path)" }
    package var folder: String? { path }
    package var trial: StoreTrial { .folder(self) }

    package func open(client: HTTPClient, record: Record?, now: Now, statePath: String) -> any Store {
        let writer = String(hexadecimal(Crypto.sha256(Array(statePath.utf8))).prefix(12))
        return FilesystemStore(settings: self, ledger: StoredLedger(path: statePath + "/stored.log"), writer: writer)
    }
}
