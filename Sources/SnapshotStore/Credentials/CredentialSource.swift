import SnapshotBase
import SnapshotHTTP

/// Where S3's keys come from. Temporary keys are requested only for an upload: a failure then spools the picture.
package indirect enum CredentialSource: Sendable {
    case keys(AWSKeys)
    /// A program and its arguments (`credential_process`).
    case process([String])
    /// A role that is assumed with the keys of another source.
    case role(AssumedRole, by: CredentialSource)
    case iot(IoTProvider)

    /// Keys in the settings; nil for temporary ones.
    var keys: AWSKeys? { if case .keys(let keys) = self { keys } else { nil } }

    /// Everything that decides which keys are obtained. Contains secrets.
    var fingerprint: String {
        switch self {
        case .keys(let keys): "\(keys.accessKey) \(keys.secretKey) \(keys.sessionToken ?? "")"
        case .process(let words):
            "process \(words) \(words.filter { $0.hasPrefix("/") }.map(fileIdentity).joined(separator: " "))"
        case .role(let role, let source): "role \(role.fingerprint) by \(source.fingerprint)"
        case .iot(let provider): "iot \(provider.fingerprint)"
        }
    }

    /// - Parameter now: by the store's clock, as far as known.
    func obtain(_ inputs: ProviderInputs, at now: Timestamp, deadline: Deadline) throws(StoreFailure)
        -> TemporaryCredentials
    {
        switch self {
        case .keys(let keys): return TemporaryCredentials(keys, end: nil, obtained: now, holder: "")
        case .process(let words):
            let file = inputs.statePath.map { $0 + "/credentials.pid" }
            return try CredentialProcess(words: words, context: inputs.context, leftBehindFile: file)
                .run(at: now, deadline)
        case .role(let role, let source):
            let caller = try source.obtain(inputs, at: now, deadline: deadline)
            return try role.assume(with: caller.keys, inputs, at: now, deadline)
        case .iot(let provider): return try provider.obtain(inputs, at: now, deadline)
        }
    }
}
