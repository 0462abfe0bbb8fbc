import SnapshotBase
import SnapshotHTTP

/// Where S3's keys come from. Who lends keys is asked only when the store needs them, so that a failure spools the picture.
package indirect enum CredentialSource: Sendable {
    case keys(AWSKeys)
    /// A program and its arguments.
    case process([String])
    /// A role that the keys of another source assume.
    case role(AssumedRole, by: CredentialSource)
    case iot(IoTProvider)

    /// What needn't be lent.
    var keys: AWSKeys? { if case .keys(let keys) = self { keys } else { nil } }

    /// All that decides what is lent. Holds secrets.
    var fingerprint: String {
        switch self {
        case .keys(let keys): "\(keys.accessKey) \(keys.secretKey) \(keys.sessionToken ?? "")"
        case .process(let words):
            "process \(words) \(words.filter { $0.hasPrefix("/") }.map(fileIdentity).joined(separator: " "))"
        case .role(let role, let source): "role \(role.fingerprint) by \(source.fingerprint)"
        case .iot(let provider): "iot \(provider.fingerprint)"
        }
    }

    /// Asks for keys.
    /// - Parameters:
    ///   - now: the time as the store has it, as far as known.
    func lend(_ means: LendingMeans, at now: Timestamp, deadline: Deadline) throws(StoreFailure) -> Lease {
        switch self {
        case .keys(let keys): return Lease(keys, end: nil, lent: now, holder: "")
        case .process(let words):
            return try CredentialProcess(words: words, context: means.context).run(at: now, deadline)
        case .role(let role, let source):
            let caller = try source.lend(means, at: now, deadline: deadline)
            return try role.assume(with: caller.keys, means, at: now, deadline)
        case .iot(let provider): return try provider.lend(means, at: now, deadline)
        }
    }
}
