import SnapshotBase
import SnapshotHTTP
import SnapshotSettings

/// Settings of the store `http`: the endpoint, and what each request to it contains.
package struct HTTPStoreSettings: Sendable {
    /// The URL without user and password.
    package var url: FieldTemplate
    /// The URL for messages, with secrets redacted.
    package var shownURL: String
    /// Scheme, host and port.
    package var server: String
    package var usesTLS: Bool
    package var method: UploadMethod
    package var format: UploadFormat
    /// The name of the form's part, or of the JSON object's member, that holds the picture.
    package var part: String
    package var fields: NamedTemplates
    package var headers: NamedTemplates
    /// User and password in the URL, for Basic or Digest.
    package var credentials: (user: String, password: String)?
    /// For `Authorization: Bearer`.
    package var token: String?
    package var certificate: ClientCertificate?
    /// The key of Standard Webhooks signatures, decoded.
    package var signingKey: [UInt8]?
    /// Text that a response must contain to be an acknowledgement.
    package var acknowledgement: String?
    /// The path of a PEM file with certificate authorities; nil for the system's.
    package var authorities: String?
    package var proxies: Proxies
    let clock: SystemClock

    package init(_ settings: Settings) throws(Failure) {
        guard let url = try settings[Key.httpUploadURL] else {
            throw .settings(
                "HTTP_UPLOAD_URL is not set", why: "STORAGE_BACKEND=http needs it",
                hint: "set HTTP_UPLOAD_URL=https://example.org/upload")
        }
        guard let parts = URLParts(url) else {
            throw .settings("refused", "HTTP_UPLOAD_URL", why: "its host or its user can't be understood")
        }
        do throws(FieldTemplate.UnknownField) { self.url = try FieldTemplate(parts.withoutUser) } catch {
            throw settings.refusal(Key.httpUploadURL, rule: error.rule)
        }
        shownURL = redactedURL(parts.withoutUser)
        server = "\(parts.scheme)://\(parts.authority)"
        usesTLS = parts.scheme == "https"
        method = try settings[Key.httpUploadMethod]
        format = try settings[Key.httpUploadFormat] ?? (method == .put ? .raw : .multipart)
        part = try settings[Key.httpUploadPart] ?? (format == .json ? "image" : "file")
        fields = try NamedTemplates(fields: Key.httpUploadFields, of: settings)
        headers = try NamedTemplates(headers: Key.httpUploadHeaders, of: settings)
        token = try settings[Key.httpAuthToken]
        // A request has one Authorization header: that of a token or of the headers replaces user and password.
        let hasOwn = token != nil || headers["Authorization"] != nil
        credentials = hasOwn ? nil : parts.user.map { ($0, parts.password ?? "") }
        certificate = try Self.certificate(settings)
        signingKey = try Self.signingKey(settings)
        acknowledgement = try settings[Key.httpUploadAck]
        authorities = try authorityFile(settings)
        proxies = try Proxies(settings)
        clock = settings.context.clock
        try refuseWhatDoesNotGoTogether(settings)
    }

    /// See `StoreKind.fingerprint`. It holds secrets.
    package var fingerprint: String {
        let files = certificate?.identity ?? ""
        return [
            "http \(server) \(url) \(method.rawValue) \(format.rawValue)", token ?? "", credentials?.user ?? "",
            credentials?.password ?? "", "\(fields.entries) \(headers.entries) \(part)\(proxies.fingerprint)", files,
            hexadecimal(signingKey ?? []),
        ].joined(separator: " ")
    }

    private func refuseWhatDoesNotGoTogether(_ settings: Settings) throws(Failure) {
        if token != nil, headers["Authorization"] != nil {
            throw .settings(
                "refused", "HTTP_AUTH_TOKEN", why: "HTTP_UPLOAD_HEADERS has an Authorization of its own",
                hint: "set one of the two")
        }
        if format == .multipart, headers["Content-Type"] != nil {
            throw .settings(
                "refused", "HTTP_UPLOAD_HEADERS", why: "a multipart upload has a Content-Type with its own boundary",
                hint: "leave Content-Type out, or set HTTP_UPLOAD_FORMAT=raw")
        }
        if format == .raw, !fields.entries.isEmpty {
            throw settings.refusal(
                Key.httpUploadFields,
                rule: "goes with HTTP_UPLOAD_FORMAT=multipart or json; a raw upload has no fields",
                hint: "set HTTP_UPLOAD_HEADERS instead")
        }
        if format == .multipart, signingKey != nil {
            throw settings.refusal(
                Key.httpSigningSecret, rule: "goes with HTTP_UPLOAD_FORMAT=raw or json; a form's body can't be signed")
        }
        guard part.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x7F }) else {
            throw settings.refusal(Key.httpUploadPart, rule: "must not hold quotes")
        }
    }

    private static func certificate(_ settings: Settings) throws(Failure) -> ClientCertificate? {
        guard let path = try settings[Key.httpClientCert] else {
            guard try settings[Key.httpClientKey] == nil else {
                throw settings.refusal(Key.httpClientKey, rule: "goes with HTTP_CLIENT_CERT, which isn't set")
            }
            return nil
        }
        // One file may hold both certificate and key.
        let keyPath = try settings[Key.httpClientKey] ?? settings.systemdCredential(Key.httpClientKey)
        return try ClientCertificate(path, Key.httpClientCert, key: keyPath ?? path, Key.httpClientKey, settings)
    }

    /// After `whsec_` the key is in base64 (Standard Webhooks); any other text is the key itself.
    private static func signingKey(_ settings: Settings) throws(Failure) -> [UInt8]? {
        guard let text = try settings[Key.httpSigningSecret] else { return nil }
        guard text.hasPrefix("whsec_") else { return Array(text.utf8) }
        guard let key = Crypto.decoded(base64: String(text.dropFirst(6))) else {
            throw settings.refusal(Key.httpSigningSecret, rule: "must have base64 after whsec_")
        }
        return key
    }
}
