import SnapshotHTTP
import SnapshotState

/// The store `s3`: a bucket.
extension S3Settings: StoreKind {
    package var fingerprint: String {
        "s3 \(identity) \(region) \(prefix) \(isPathStyle ? 1 : 0) \(source.fingerprint) \(objects.fingerprint)"
            + proxies.fingerprint
    }
    package var folder: String? { nil }
    package func location(of key: String) -> String { "s3://\(bucket)/\(prefix)\(key)" }
    package var trial: StoreTrial { .s3(self) }

    package func open(client: HTTPClient, record: Record?, now: Now, statePath: String) -> any Store {
        S3Store(settings: self, client: client, record: record, now: now, statePath: statePath)
    }
}
