import SnapshotHTTP
import SnapshotState

/// The store `http`: an HTTP endpoint.
extension HTTPStoreSettings: StoreKind {
    package var folder: String? { nil }
    package func location(of key: String) -> String { "\(server) (key \(key))" }
    package var trial: StoreTrial { .http(self) }

    package func open(client: HTTPClient, record: Record?, now: Now, statePath: String) -> any Store {
        HTTPStore(settings: self, client: client, record: record)
    }
}
