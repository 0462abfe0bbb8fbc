import SnapshotBase

/// An HTTP endpoint: multipart/form-data with the picture as part `file`, or the bytes alone with the facts as
/// `X-Snapshot-*` headers. Any 2xx is the acknowledgement. At least once: `Idempotency-Key` lets the server drop a
/// second copy.
struct HTTPStore: RemoteStore {
    let settings: HTTPStoreSettings
    let client: HTTPClient
    /// The server's clock minus ours, in milliseconds, when last heard.
    var clockOffset: Int64?

    init(settings: HTTPStoreSettings, client: HTTPClient) {
        self.settings = settings
        self.client = client
    }

    var place: String { redactedURL(settings.url) }
    var addressSetting: String { "HTTP_UPLOAD_URL" }
    var isVerified: Bool { TLSHost(url: settings.url) != nil }

    func request(putting object: StoredObject, deadline: Deadline, reusesConnection: Bool) -> HTTPRequest {
        var request = HTTPRequest("POST", settings.url, deadline: deadline)
        request.trust = .authorities(file: settings.authorities)
        request.credentials = settings.credentials
        request.reusesConnection = reusesConnection
        request.headers = [("Idempotency-Key", headerText(object.key))]
        if let token = settings.token { request.headers.append(("Authorization", "Bearer \(token)")) }
        switch settings.format {
        case .multipart:
            var fields = [
                ("camera", object.camera), ("captured_at", object.capturedAt.iso8601Milliseconds),
                ("sha256", object.sha256), ("key", object.key),
            ]
            if object.clock != .synced { fields.append(("clock", object.clock.rawValue)) }
            let file = FormFile(
                field: "file", fileName: object.fileName, contentType: object.contentType,
                content: object.content)
            request.body = .form(fields: fields.map { (name: $0.0, value: $0.1) }, file: file)
        case .raw:
            request.headers.append(("Content-Type", object.contentType))
            request.headers.append(("X-Snapshot-Key", headerText(object.key)))
            for fact in object.facts where fact.name != "clock" || object.clock != .synced {
                request.headers.append(("X-Snapshot-\(fact.name.capitalizedWords)", fact.value))
            }
            request.body = object.content
        }
        return request
    }

    mutating func settle(_ answer: HTTPAnswer) throws(StoreFailure) {
        let response = try heard(answer)
        guard !(200...299).contains(response.status) else { return }
        let setting = response.status == 401 || response.status == 403 ? "HTTP_AUTH_TOKEN" : addressSetting
        throw StoreFailure(status: response.status, response, place: place, setting: setting, detail: "")
    }
}

extension String {
    /// `captured-at` → `Captured-At`
    fileprivate var capitalizedWords: String {
        split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: "-")
    }
}

extension HTTPResponse {
    /// The server's clock minus ours, in milliseconds; `Date` has whole seconds, so half of one is added. Nil where the
    /// server's clock can't be right either.
    var clockOffset: Int64? {
        guard let date, let dateCame else { return nil }
        return date.milliseconds + 500 - dateCame.milliseconds
    }
}
