import Glibc
import SnapshotBase

/// Where pictures go.
package enum StoreSettings: Sendable {
    case filesystem(FilesystemSettings)
    case s3(S3Settings)
    case http(HTTPStoreSettings)

    private enum Backend: String, CaseIterable { case s3, filesystem, http }

    package init(_ settings: Settings) throws(Failure) {
        switch try settings.choice(.storageBackend, default: Backend.filesystem) {
        case .filesystem: self = .filesystem(try FilesystemSettings(settings))
        case .s3: self = .s3(try S3Settings(settings))
        case .http: self = .http(try HTTPStoreSettings(settings))
        }
    }

    /// What refused credentials belong to: all that a person may change to have them taken. Holds secrets, so it is only
    /// ever digested.
    package var fingerprint: String {
        switch self {
        case .filesystem(let it): "filesystem \(it.path)"
        case .s3(let it):
            "s3 \(it.place) \(it.region) \(it.prefix) \(it.isPathStyle ? 1 : 0) \(it.credentials.accessKey) "
                + "\(it.credentials.secretKey) \(it.credentials.sessionToken ?? "")"
        case .http(let it):
            "http \(it.url) \(it.format.rawValue) \(it.token ?? "") \(it.credentials?.user ?? "") \(it.credentials?.password ?? "")"
        }
    }
}

package struct FilesystemSettings: Sendable {
    package var path: String
    package var maxBytes: Int?
    package var maxAge: Duration?
    package var minFree: Int?

    package init(_ settings: Settings) throws(Failure) {
        path = try settings.path(.localStoragePath) ?? "./snapshots"
        maxBytes = try settings.size(.localStorageMaxBytes, default: nil)
        maxAge = try settings.duration(
            .localStorageMaxAge, default: nil, in: .seconds(1)...(.seconds(86400 * 36500)))
        minFree = try settings.size(.localStorageMinFree, default: nil)
    }
}

package struct HTTPStoreSettings: Sendable {
    package enum Format: String, CaseIterable, Sendable { case multipart, raw }

    package var url: String
    /// Scheme, host and port.
    package var server: String
    /// From the URL itself, for Basic or Digest.
    package var credentials: (user: String, password: String)?
    package var token: String?
    package var format: Format
    /// Text that an answer must hold to be an acknowledgement.
    package var acknowledgement: String?
    package var authorities: String?

    package init(_ settings: Settings) throws(Failure) {
        guard let url = try settings.url(.httpUploadURL, schemes: ["http", "https"]) else {
            throw .settings(
                "HTTP_UPLOAD_URL is not set", why: "STORAGE_BACKEND=http needs it",
                hint: "set HTTP_UPLOAD_URL=https://example.org/upload")
        }
        guard let parts = URLParts(url), let value = try settings.value(.httpUploadURL) else {
            throw .settings("refused", "HTTP_UPLOAD_URL", why: "its host or its user can't be understood")
        }
        _ = value
        self.url = parts.withoutUser
        server = "\(parts.scheme)://\(parts.authority)"
        token = try settings.string(.httpAuthToken)
        // There is one Authorization, and the token has it.
        credentials = token == nil ? parts.user.map { ($0, parts.password ?? "") } : nil
        format = try settings.choice(.httpUploadFormat, default: .multipart)
        acknowledgement = try settings.string(.httpUploadAck)
        authorities = try authorityFile(settings)
    }
}

/// The private certificate authorities that every upload trusts, if any are named.
package func authorityFile(_ settings: Settings, first: SettingKey? = nil) throws(Failure) -> String? {
    for key in [first, .curlCABundle, .sslCertFile] {
        guard let key, let value = try settings.value(key) else { continue }
        guard access(value.text, R_OK) == 0 else {
            throw settings.refusal(key, value, rule: "must be a readable file of certificates")
        }
        return value.text
    }
    return nil
}
