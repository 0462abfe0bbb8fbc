import SnapshotBase
import SnapshotHTTP
import SnapshotState

/// The temporary credentials of one run, shared by all copies of its store, and the file from which later runs read
/// them. The lock of the state, or of the relay, keeps other runs from the file.
package final class CredentialsCache {
    package static let fileName = "credentials.json"

    private let source: CredentialSource
    private let digest: String
    private let inputs: ProviderInputs
    /// The file; nil where they are requested anew in each run.
    private let path: String?
    private var current: TemporaryCredentials?
    private var renewalFailure: String?
    private var isRead = false
    /// Whether the store has refused them.
    private var isRefused = false
    /// Whether the keys were replaced after a refusal, and the store has accepted no keys since.
    private var hasReplaced = false

    init(_ source: CredentialSource, _ inputs: ProviderInputs) {
        self.source = source
        self.inputs = inputs
        path = inputs.statePath.map { $0 + "/" + Self.fileName }
        digest = String(hexadecimal(Crypto.sha256(Array(source.fingerprint.utf8))).prefix(32))
    }

    var status: CredentialsStatus? { current.map { CredentialsStatus(end: $0.end, renewalFailure: renewalFailure) } }
    var end: Timestamp? { current?.end }
    var holder: String? { current?.holder }

    /// Keys that are valid at `now`, by the store's clock.
    func keys(at now: Timestamp, _ deadline: Deadline) throws(StoreFailure) -> AWSKeys {
        readOnce()
        if let current, !isRefused, !current.isDue(at: now) { return current.keys }
        do throws(StoreFailure) {
            var new = try source.obtain(inputs, at: now, deadline: deadline)
            new.sourceDigest = digest
            (isRefused, renewalFailure) = (false, nil)
            keep(new)
            return new.keys
        } catch {
            guard var old = current, !isRefused, old.isValid(at: now) else { throw error }
            old.failed = now
            renewalFailure = error.failure.why
            keep(old)
            return old.keys
        }
    }

    /// Notes that the store refused `keys`, as it does when they have expired.
    /// - Returns: whether to try again with new ones.
    func noteRefused(_ keys: AWSKeys) -> Bool {
        // Another upload has had these keys replaced already.
        guard current?.keys == keys else { return current != nil }
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
            let found = JSON(bytes).flatMap(TemporaryCredentials.init(json:)), found.sourceDigest == digest
        else { return }
        use(found)
    }

    private func use(_ new: TemporaryCredentials) {
        current = new
        Secrets.ofThisRun.register(new.keys)
    }

    /// Writes them if possible; otherwise the next run requests new ones.
    private func keep(_ new: TemporaryCredentials) {
        use(new)
        guard let path else { return }
        try? writeDurably([new.json.bytes], to: path, temporary: path + ".new", mode: 0o600)
    }
}

extension Secrets {
    func register(_ keys: AWSKeys) {
        for text in [keys.accessKey, keys.secretKey, keys.sessionToken ?? ""] { register(token: text) }
    }
}
