import Glibc
import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// Where pictures go.
package enum StoreSettings: Sendable {
    case filesystem(FilesystemSettings)
    case s3(S3Settings)
    case http(HTTPStoreSettings)

    package init(_ settings: Settings) throws(Failure) {
        switch try settings[Key.storageBackend] {
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
        path = try settings[Key.localStoragePath]
        maxBytes = try settings[Key.localStorageMaxBytes]
        maxAge = try settings[Key.localStorageMaxAge]
        minFree = try settings[Key.localStorageMinFree]
    }
}

package struct HTTPStoreSettings: Sendable {
    package typealias Format = UploadFormat

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
        guard let url = try settings[Key.httpUploadURL] else {
            throw .settings(
                "HTTP_UPLOAD_URL is not set", why: "STORAGE_BACKEND=http needs it",
                hint: "set HTTP_UPLOAD_URL=https://example.org/upload")
        }
        guard let parts = URLParts(url) else {
            throw .settings("refused", "HTTP_UPLOAD_URL", why: "its host or its user can't be understood")
        }
        self.url = parts.withoutUser
        server = "\(parts.scheme)://\(parts.authority)"
        token = try settings[Key.httpAuthToken]
        // There is one Authorization, and the token has it.
        credentials = token == nil ? parts.user.map { ($0, parts.password ?? "") } : nil
        format = try settings[Key.httpUploadFormat]
        acknowledgement = try settings[Key.httpUploadAck]
        authorities = try authorityFile(settings)
    }
}
