import SnapshotBase
import SnapshotHTTP
import SnapshotSettings
import SnapshotState

/// The kinds of stores that there are, a line each; STORAGE_BACKEND names one.
package enum StoreKinds {
    static func kind(_ backend: StorageBackend) -> any StoreKind.Type {
        switch backend {
        case .filesystem: FilesystemSettings.self
        case .s3: S3Settings.self
        case .http: HTTPStoreSettings.self
        }
    }

    /// The store that the settings name.
    package static func read(_ settings: Settings) throws(Failure) -> any StoreKind {
        try kind(settings[Key.storageBackend]).init(settings)
    }
}

/// One store as its kind sees it: its settings, and all that other kinds have otherwise. Whoever needs to know asks here,
/// and nobody asks which kind it is. No requirement has a default: the compiler names what a new kind lacks.
package protocol StoreKind: Sendable {
    init(_ settings: Settings) throws(Failure)

    /// What refused credentials belong to: all that a person may change to have them taken. Holds secrets, so it is only
    /// ever digested.
    var fingerprint: String { get }
    /// The folder of this machine that pictures go to; nil where they go elsewhere.
    var folder: String? { get }
    /// Where the picture of that key is, as people are told; never a secret.
    func place(of key: String) -> String
    /// How `snapshot check` tries it.
    var trial: StoreTrial { get }
    /// What puts objects there.
    /// - Parameters:
    ///   - record: what earlier runs learned of it.
    ///   - statePath: where a store may keep notes of its own.
    func open(client: HTTPClient, record: Record?, now: Now, statePath: String) -> any Store
}

/// The steps by which `snapshot check` tries a store without leaving anything there.
package enum StoreTrial: Sendable {
    /// A file that is made and removed.
    case folder(FilesystemSettings)
    /// An object that is put and removed, as far as the credentials allow.
    case s3(S3Settings)
    /// Questions with all that an upload brings but its body: a POST can't be taken back.
    case http(HTTPStoreSettings)
}
