import SnapshotBase
import SnapshotHTTP
import SnapshotSettings
import SnapshotState
import SnapshotStore

/// Replaces a store whose settings name a file in a folder that hangs, such as AWS's credentials file. Captures go on,
/// and pictures go into the spool.
package struct UnreadStore: StoreKind, Store {
    private let failure: StoreFailure
    package let address: String

    /// The store that the settings name; an `UnreadStore` in its place where a folder hangs.
    /// - Throws: the failure of the settings, unless it is that a folder hangs.
    package static func readOrReplace(_ settings: Settings) throws(Failure) -> any StoreKind {
        do throws(Failure) { return try StoreKinds.read(settings) } catch {
            guard error.isHang else { throw error }
            return UnreadStore(error, address: try settings[Key.storageBackend].rawValue)
        }
    }

    private init(_ error: Failure, address: String) {
        let failure = Failure(
            .store(.timeout), error.what, error.which, why: error.why, hint: error.hint, cause: error.cause)
        self.failure = StoreFailure(failure, .giveUp)
        self.address = address
    }

    /// No setting chooses this kind.
    package init(_: Settings) throws(Failure) { throw .settings("no store", why: "STORAGE_BACKEND names none") }

    package var fingerprint: String { "unread" }
    package var folder: String? { nil }
    package var trial: StoreTrial { .unread(failure.failure) }
    package func location(of key: String) -> String { key }
    package func open(client: HTTPClient, record: Record?, now: Now, statePath: String) -> any Store { self }

    package func put(_: StoredObject, deadline: Deadline, reusesConnection: Bool) throws(StoreFailure) { throw failure }
}
