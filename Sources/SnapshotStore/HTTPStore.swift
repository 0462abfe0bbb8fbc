import SnapshotBase
import SnapshotHTTP
import SnapshotSettings
import SnapshotState

/// An HTTP endpoint. The picture is a part of multipart/form-data, base64 in a JSON object, or the body itself with its
/// facts as `X-Snapshot-*` headers. A 2xx response is the acknowledgement. Delivery is at least once: `Idempotency-Key`
/// lets the server drop a second copy.
package struct HTTPStore: RemoteStore {
    package let settings: HTTPStoreSettings
    package let client: HTTPClient
    /// The server's clock minus ours, in milliseconds, by its last response.
    package var clockOffset: Int64?
    private var login: UploadLogin
    /// Whether this run has looked for the reason of a broken connection.
    private var hasAskedWhy = false

    /// - Parameter record: of the last run, for the login that worked.
    package init(settings: HTTPStoreSettings, client: HTTPClient, record: Record?) {
        self.settings = settings
        self.client = client
        let learned = record?.learned
        login = UploadLogin(
            known: learned?.identity == settings.server ? learned?.login : nil,
            usesTLS: settings.usesTLS)
    }

    package var learned: LearnedStore? { login.learned.map { LearnedStore(identity: settings.server, login: $0) } }

    package var address: String { settings.shownURL }
    package var addressSetting: String { "HTTP_UPLOAD_URL" }
    package var usesTLS: Bool { settings.usesTLS }

    package func request(putting object: StoredObject, deadline: Deadline, reusesConnection: Bool) -> HTTPRequest {
        let url = settings.url.text(for: object) { field, value in
            percentEncoded(value, also: field == "key" ? "/" : "")
        }
        var request = HTTPRequest(
            settings.method.rawValue.uppercased(), url, through: settings.proxies, deadline: deadline)
        request.trust = .authorities(file: settings.authorities)
        request.certificate = settings.certificate
        if let credentials = settings.credentials { login.set(credentials, on: &request) }
        request.reusesConnection = reusesConnection
        request.headers = [("Idempotency-Key", headerText(object.key))]
        if let token = settings.token { request.headers.append(("Authorization", "Bearer \(token)")) }
        setBody(of: &request, object)
        if let key = settings.signingKey { request.headers += signature(of: request.body, key: key, object) }
        // Headers from the settings replace ours of the same names.
        request.headers.removeAll { settings.headers[$0.name] != nil }
        request.headers += settings.headers.entries.map { ($0.name, $0.value.text(for: object) { headerText($1) }) }
        return request
    }

    private func setBody(of request: inout HTTPRequest, _ object: StoredObject) {
        switch settings.format {
        case .multipart:
            let file = FormFile(
                field: settings.part, fileName: object.fileName, contentType: object.contentType,
                content: object.content)
            request.body = .form(fields: fields(of: object), file: file)
        case .json:
            request.headers.append(("Content-Type", "application/json"))
            var facts = JSONObject()
            for field in fields(of: object) + [("content_type", object.contentType)] {
                facts.append(field.name, .string(field.value))
            }
            let before =
                Array(JSON.object(facts).bytes.dropLast()) + Array(",\(JSON.string(settings.part).text):\"".utf8)
            request.body = .base64(before: before, content: object.content, after: Array("\"}".utf8))
        case .raw:
            request.headers.append(("Content-Type", object.contentType))
            request.headers.append(("X-Snapshot-Key", headerText(object.key)))
            for field in object.metadata where field.name != "clock" || object.clock != .trusted {
                request.headers.append(("X-Snapshot-\(field.name.capitalisedWords)", field.value))
            }
            request.body = object.content
        }
    }

    /// The facts about the picture, then the fields of the settings, which replace ours of the same name.
    private func fields(of object: StoredObject) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = [
            ("camera", object.camera), ("captured_at", object.capturedAt.iso8601Milliseconds),
            ("sha256", object.sha256), ("key", object.key),
        ]
        if object.clock != .trusted { fields.append(("clock", object.clock.rawValue)) }
        for own in settings.fields.entries {
            fields.removeAll { $0.name == own.name }
            fields.append((own.name, own.value.text(for: object)))
        }
        return fields
    }

    /// The headers of the Standard Webhooks specification: they sign the key, the time and the body.
    private func signature(of body: HTTPBody, key: [UInt8], _ object: StoredObject) -> [(name: String, value: String)] {
        let id = headerText(object.key)
        let seconds = "\(settings.clock.wall().advanced(byMilliseconds: clockOffset ?? 0).milliseconds / 1000)"
        // If the file can't be read now, sending it fails as well.
        let value = body.hmac(key: key, prefix: Array("\(id).\(seconds).".utf8)) ?? []
        return [
            ("webhook-id", id), ("webhook-timestamp", seconds), ("webhook-signature", "v1," + Crypto.base64(value)),
        ]
    }

    package func prepare(_ deadline: Deadline) {}

    package mutating func checkResult(_ result: HTTPResult, of key: String) throws(StoreFailure) {
        let response = try receive(explained(result))
        if (200...299).contains(response.status) {
            try acknowledge(response)
            if settings.credentials != nil { login.worked(response) }
            return
        }
        if response.isAboutCertificate { throw .certificate(response, address: address) }
        var failure = StoreFailure(
            status: response.status, response, address: address, setting: settingToCheck(response), detail: "")
        if chooseAnotherLogin(after: response) { failure.advice = .retryCorrected }
        throw failure
    }

    /// The settings that a refusal is most likely about.
    private func settingToCheck(_ response: HTTPResponse) -> String {
        switch response.status {
        case 400 where response.isPlainHTTPRefusal: addressSetting
        case 401, 403:
            settings.token == nil && !settings.headers.entries.isEmpty ? "HTTP_UPLOAD_HEADERS" : "HTTP_AUTH_TOKEN"
        case 405: "HTTP_UPLOAD_METHOD and HTTP_UPLOAD_URL"
        case 400, 415, 422: "HTTP_UPLOAD_FORMAT, HTTP_UPLOAD_PART and HTTP_UPLOAD_FIELDS"
        default: addressSetting
        }
    }

    /// A server that breaks the connection may refuse the client certificate; once per run, a handshake finds out.
    private mutating func explained(_ result: HTTPResult) -> HTTPResult {
        guard case .failure(let failure) = result, failure.kind == .lost, !hasAskedWhy else { return result }
        hasAskedWhy = true
        return .failure(failure.explained(settings.server, settings.certificate, authorities: settings.authorities))
    }

    /// Whether to try again with another login method after this refusal.
    package mutating func chooseAnotherLogin(after response: HTTPResponse) -> Bool {
        settings.credentials != nil && login.chooseAnother(after: response)
    }

    /// - Throws: where a 2xx response is not an acknowledgement: it lacks the text of HTTP_UPLOAD_ACK; or that is
    ///   unset, and it is an HTML page over plain HTTP, which may come from a captive portal.
    private func acknowledge(_ response: HTTPResponse) throws(StoreFailure) {
        if let wanted = settings.acknowledgement {
            if String(decoding: response.body, as: UTF8.self)[...].range(of: wanted) != nil { return }
        } else if !response.isPage || usesTLS {
            return
        }
        let why = "its answer doesn't hold the text of HTTP_UPLOAD_ACK"
        var failure = StoreFailure.notFromStore(why, response, address: address, setting: addressSetting)
        if response.isPage { failure = .signInPage(response, address: address, setting: addressSetting) }
        if settings.acknowledgement != nil, let hint = failure.failure.hint {
            failure.failure.hint = "set HTTP_UPLOAD_ACK to what its answer to a stored picture says; or \(hint)"
        }
        throw failure
    }
}

extension String {
    /// `captured-at` → `Captured-At`
    fileprivate var capitalisedWords: String {
        split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: "-")
    }
}
