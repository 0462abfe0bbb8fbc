import SnapshotBase
import SnapshotHTTP
import SnapshotState

/// The temporary credentials of one run, shared by all copies of its store, and the file from which later runs read
/// them. The lock of the state, or of the relay, keeps other runs from the file.
package final class TemporaryCredentials {
    package static let fileName = "credentials.json"

    private let source: CredentialSource
    private let digest: String
    private let means: ProviderMeans
    /// The file; nil where they are requested anew in each run.
    private let path: String?
    private var lease: Lease?
    private var trouble: String?
    private var isRead = false
    /// Whether the store has refused them.
    private var isRefused = false
    /// Whether they were replaced after a refusal, and the store has accepted none since.
    private var hasReplaced = false

    init(_ source: CredentialSource, _ means: ProviderMeans) {
        self.source = source
        self.means = means
        path = means.statePath.map { $0 + "/" + Self.fileName }
        digest = String(hexadecimal(Crypto.sha256(Array(source.fingerprint.utf8))).prefix(32))
    }

    var figures: LeaseFigures? { lease.map { LeaseFigures(end: $0.end, trouble: trouble) } }
    var end: Timestamp? { lease?.end }
    var holder: String? { lease?.holder }

    /// Keys that are valid at `now`, by the store's clock.
    func keys(at now: Timestamp, _ deadline: Deadline) throws(StoreFailure) -> AWSKeys {
        readOnce()
        if let lease, !isRefused, !lease.isDue(at: now) { return lease.keys }
        do throws(StoreFailure) {
            var new = try source.obtain(means, at: now, deadline: deadline)
            new.source = digest
            (isRefused, trouble) = (false, nil)
            keep(new)
            return new.keys
        } catch {
            guard var old = lease, !isRefused, old.isValid(at: now) else { throw error }
            old.failed = now
            trouble = error.failure.why
            keep(old)
            return old.keys
        }
    }

    /// Notes that the store refused `keys`, as it does when they have expired.
    /// - Returns: whether to try again with new ones.
    func replaces(_ keys: AWSKeys) -> Bool {
        // Another upload has had these keys replaced already.
        guard lease?.keys == keys else { return lease != nil }
        isRefused = true
        if let path { removeFile(path) }
        defer { hasReplaced = true }
        return !hasReplaced
    }

    /// Notes that the store accepted them.
    func noteAccepted() { hasReplaced = false }

    private func readOnce() {
        guard !isRead else { return }
        isRead = true
        guard let path, let bytes = try? readFile(path, limit: 1 << 17),
            let found = JSON(bytes).flatMap(Lease.init(json:)), found.source == digest
        else { return }
        note(found)
    }

    private func note(_ lease: Lease) {
        self.lease = lease
        Secrets.ofThisRun.note(lease.keys)
    }

    /// Writes them if possible; otherwise the next run requests new ones.
    private func keep(_ lease: Lease) {
        note(lease)
        guard let path else { return }
        try? writeDurably([lease.json.bytes], to: path, temporary: path + ".new", mode: 0o600)
    }
}

extension Secrets {
    func note(_ keys: AWSKeys) {
        for text in [keys.accessKey, keys.secretKey, keys.sessionToken ?? ""] { note(token: text) }
    }
}
