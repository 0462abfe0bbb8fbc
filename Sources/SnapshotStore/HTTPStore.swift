import SnapshotBase
import SnapshotHTTP
import SnapshotSettings
import SnapshotState

/// An HTTP endpoint: multipart/form-data with the picture as part `file`, or the bytes alone with the facts as
/// `X-Snapshot-*` headers. A 2xx is the acknowledgement. At least once: `Idempotency-Key` lets the server drop a
/// second copy.
package struct HTTPStore: RemoteStore {
    package let settings: HTTPStoreSettings
    package let client: HTTPClient
    /// The server's clock minus ours, in milliseconds, when last heard.
    package var clockOffset: Int64?
    private var login: UploadLogin

    /// - Parameter record: what earlier runs learned of it: the login.
    package init(settings: HTTPStoreSettings, client: HTTPClient, record: Record?) {
        self.settings = settings
        self.client = client
        let learned = record?.store
        login = UploadLogin(
            known: learned?.place == settings.server ? learned?.login : nil,
            isVerified: TLSHost(url: settings.url) != nil)
    }

    package var learned: LearnedStore? { login.learned.map { LearnedStore(place: settings.server, login: $0) } }

    package var place: String { redactedURL(settings.url) }
    package var addressSetting: String { "HTTP_UPLOAD_URL" }
    package var isVerified: Bool { TLSHost(url: settings.url) != nil }

    package func request(putting object: StoredObject, deadline: Deadline, reusesConnection: Bool) -> HTTPRequest {
        var request = HTTPRequest("POST", settings.url, deadline: deadline)
        request.trust = .authorities(file: settings.authorities)
        if let credentials = settings.credentials { login.set(credentials, on: &request) }
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

    package mutating func settle(_ answer: HTTPAnswer) throws(StoreFailure) {
        let response = try heard(answer)
        if (200...299).contains(response.status) {
            try acknowledge(response)
            if settings.credentials != nil { login.worked(response) }
            return
        }
        let setting = response.status == 401 || response.status == 403 ? "HTTP_AUTH_TOKEN" : addressSetting
        var failure = StoreFailure(status: response.status, response, place: place, setting: setting, detail: "")
        if logsInAnew(after: response) { failure.advice = .signAgain }
        throw failure
    }

    /// Whether another login is worth an attempt after this refusal.
    package mutating func logsInAnew(after response: HTTPResponse) -> Bool {
        settings.credentials != nil && login.changes(after: response)
    }

    /// - Throws: where a 2xx answer is no acknowledgement. Over TLS it is the server's own, whatever it looks like.
    private func acknowledge(_ response: HTTPResponse) throws(StoreFailure) {
        if let wanted = settings.acknowledgement {
            if String(decoding: response.body, as: UTF8.self)[...].range(of: wanted) != nil { return }
        } else if !response.isPage || isVerified {
            return
        }
        guard !response.isPage else { throw .signInPage(response, place: place, setting: addressSetting) }
        throw .notFromStore(
            "its answer doesn't hold the text of HTTP_UPLOAD_ACK", response, place: place,
            setting: "HTTP_UPLOAD_ACK and \(addressSetting)")
    }
}

extension String {
    /// `captured-at` → `Captured-At`
    fileprivate var capitalizedWords: String {
        split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: "-")
    }
}
