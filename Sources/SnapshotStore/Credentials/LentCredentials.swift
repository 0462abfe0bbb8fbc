import SnapshotBase
import SnapshotHTTP
import SnapshotState

/// The temporary credentials of one run, which all copies of its store share, and their file, from which the next runs have
/// them. The state's lock, or the relay's, keeps two runs from one file.
package final class LentCredentials {
    package static let fileName = "credentials.json"

    private let source: CredentialSource
    private let digest: String
    private let means: LendingMeans
    /// nil: asked anew, and kept nowhere.
    private let path: String?
    private var lease: Lease?
    private var trouble: String?
    private var isRead = false
    /// Whether the store no longer takes them.
    private var isRefused = false
    /// Whether others were asked for since the store refused some, and it has taken none yet.
    private var hasReplaced = false

    /// - Parameter statePath: where they are kept; nil: nowhere.
    init(_ source: CredentialSource, _ means: LendingMeans, statePath: String?) {
        self.source = source
        self.means = means
        path = statePath.map { $0 + "/" + Self.fileName }
        digest = String(hexadecimal(Crypto.sha256(Array(source.fingerprint.utf8))).prefix(32))
    }

    var figures: LeaseFigures? { lease.map { LeaseFigures(end: $0.end, trouble: trouble) } }
    var end: Timestamp? { lease?.end }
    var holder: String? { lease?.holder }

    /// Keys that hold at `now`, the time as the store has it.
    func keys(at now: Timestamp, _ deadline: Deadline) throws(StoreFailure) -> AWSKeys {
        readOnce()
        if let lease, !isRefused, !lease.isDue(at: now) { return lease.keys }
        do throws(StoreFailure) {
            var new = try source.lend(means, at: now, deadline: deadline)
            new.source = digest
            (isRefused, trouble) = (false, nil)
            keep(new)
            return new.keys
        } catch {
            guard var old = lease, !isRefused, old.holds(at: now) else { throw error }
            old.failed = now
            trouble = error.failure.why
            keep(old)
            return old.keys
        }
    }

    /// The store refused `keys`, as ones that have ended are.
    /// - Returns: whether others are worth an attempt.
    func replaces(_ keys: AWSKeys) -> Bool {
        // One of several uploads under way has had them replaced already.
        guard lease?.keys == keys else { return lease != nil }
        isRefused = true
        if let path { removeFile(path) }
        defer { hasReplaced = true }
        return !hasReplaced
    }

    /// The store took them.
    func worked() { hasReplaced = false }

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

    /// Best effort: where they can't be written, the next run asks anew.
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
