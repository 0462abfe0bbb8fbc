import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

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
