import SnapshotBase
import SnapshotHTTP
import SnapshotSettings
import SnapshotState

/// All kinds of stores, one line each; STORAGE_BACKEND chooses one.
package enum StoreKinds {
    static func kind(_ backend: StorageBackend) -> any StoreKind.Type {
        switch backend {
        case .filesystem: FilesystemSettings.self
        case .s3: S3Settings.self
        case .http: HTTPStoreSettings.self
        }
    }

    /// The settings of the store that STORAGE_BACKEND names.
    package static func read(_ settings: Settings) throws(Failure) -> any StoreKind {
        try kind(settings[Key.storageBackend]).init(settings)
    }
}

/// The settings of one store, and everything in which its kind differs from others. No requirement has a default, so
/// the compiler names what a new kind lacks. Of other code only `snapshot setup` compares STORAGE_BACKEND with kinds.
package protocol StoreKind: Sendable {
    init(_ settings: Settings) throws(Failure)

    /// Every setting whose change may end a refusal of credentials. It holds secrets: only a digest of it is stored.
    var fingerprint: String { get }
    /// The folder on this machine where pictures are stored; nil for stores elsewhere.
    var folder: String? { get }
    /// Where the picture of that key is, for messages; never a secret.
    func location(of key: String) -> String
    /// How `snapshot check` tries the store.
    var trial: StoreTrial { get }
    /// The store itself. Opening it makes no request. `record` has what runs have learned of the store so far;
    /// `statePath` is the folder where the store may keep files of its own.
    func open(client: HTTPClient, record: Record?, now: Now, statePath: String) -> any Store
}

/// The steps by which `snapshot check` tries a store. What they store they remove again, where the store allows that.
package enum StoreTrial: Sendable {
    /// A file that is created and removed.
    case folder(FilesystemSettings)
    /// An object that is stored and removed, as far as the credentials allow.
    case s3(S3Settings)
    /// Requests as for an upload but without a body: a POST can't be undone.
    case http(HTTPStoreSettings)
    /// No steps: a file that the store's settings name can't be read.
    case unread(Failure)
}
