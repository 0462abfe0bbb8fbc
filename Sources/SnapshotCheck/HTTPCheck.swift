import SnapshotBase
import SnapshotHTTP
import SnapshotState
import SnapshotStore

/// Checks an HTTP endpoint by HEAD, OPTIONS and GET requests with the headers of an upload, since a POST can't be
/// undone.
struct HTTPCheck {
    private(set) var store: HTTPStore
    let capturedAt: Timestamp
    let deadline: Deadline

    mutating func run() -> Finding {
        do throws(StoreFailure) {
            let head = try send("HEAD")
            if (200...299).contains(head.status) { return try isPage(head) ? page() : responds("HEAD", head) }
            if head.status == 401 || (300...399).contains(head.status) || head.status >= 500, head.status != 501 {
                return refusal(head)
            }
            // An endpoint for POST alone answers 403, 404 or 405 to a HEAD.
            let options = try send("OPTIONS")
            let allows = options.headers["allow"] ?? options.headers["access-control-allow-methods"] ?? ""
            if head.status == 405 || allows.uppercased().contains("POST") {
                return responds(allows.isEmpty ? "HEAD" : "OPTIONS", options)
            }
            return doubt(head)
        } catch {
            return .failed("storage", error.failure)
        }
    }

    private mutating func send(_ method: String) throws(StoreFailure) -> HTTPResponse {
        let object = StoredObject(
            key: ".snapshot-check", content: .none, capturedAt: capturedAt, camera: "check",
            sha256: hexadecimal(Crypto.sha256([])), clock: .trusted)
        var changes = 0
        while true {
            var request = store.request(
                putting: object, deadline: deadline.sooner(.seconds(6)), reusesConnection: true)
            (request.method, request.body) = (method, .none)
            let response = try store.receive(store.client.result(of: request))
            guard response.status == 401, changes < 2, store.chooseAnotherLogin(after: response) else {
                return response
            }
            changes += 1
        }
    }

    /// Whether a response over plain HTTP is an HTML page, which may come from a captive portal.
    private mutating func isPage(_ head: HTTPResponse) throws(StoreFailure) -> Bool {
        let type = head.headers["content-type"]?.lowercased() ?? ""
        let length = head.headers["content-length"].flatMap { Int(decimal: $0) } ?? Int.max
        guard !store.usesTLS, store.settings.acknowledgement == nil, type.contains("html"), length > 6 else {
            return false
        }
        return try send("GET").isPage
    }

    private func page() -> Finding {
        .remark(
            "storage",
            "\(store.address) answers with a web page; it may be the sign-in page of a network, and not the "
                + "server's own. No picture was sent",
            hint: "snapshot capture   # sends one picture, to be sure")
    }

    private func responds(_ method: String, _ response: HTTPResponse) -> Finding {
        .passed(
            "storage",
            "\(store.address) answers \(method) with \(response.status); whether it accepts pictures can't be seen "
                + "without sending one, and none was sent",
            facts: ["status": .integer(response.status)])
    }

    private func refusal(_ response: HTTPResponse) -> Finding {
        let setting = response.status == 401 ? "HTTP_AUTH_TOKEN" : "HTTP_UPLOAD_URL"
        let failure = StoreFailure(
            status: response.status, response, address: store.address, setting: setting, detail: "to a HEAD")
        return .failed("storage", failure.failure)
    }

    private func doubt(_ response: HTTPResponse) -> Finding {
        .remark(
            "storage",
            "\(store.address) answers HEAD with \(response.status): the path may be wrong, or the "
                + "server accepts only POST there",
            hint: "snapshot capture   # sends one picture, to be sure")
    }
}
