import SnapshotBase
import SnapshotState

/// A probe for a bucket that leaves nothing in it, whatever the credentials may do.
///
/// First a PutObject whose `Content-MD5` is wrong: a store that would take the object refuses it for that alone, after
/// it has looked at signature, permission and bucket. Where DeleteObject turns out to be allowed, and the bucket keeps
/// no versions, the probe is then put for good and removed.
struct S3Check {
    private(set) var store: S3Store
    let deadline: Deadline

    private static let content = Array("probe\n".utf8)
    /// Base64 of 16 bytes that are not the content's MD5.
    private static let wrongDigest = "AAAAAAAAAAAAAAAAAAAAAA=="
    /// One name for all probes: should one ever stay, the next check removes it.
    private static let key = ".snapshot-check"

    mutating func run() -> Finding {
        let started = Uptime.now()
        do throws(StoreFailure) {
            let region = store.settings.region
            let text = try probe()
            let wanted = store.learnedRegion?.name
            let facts: [String: JSON] = [
                "milliseconds": .integer((Uptime.now() - started).milliseconds), "region": .string(wanted ?? region),
            ]
            return .passed(
                "storage", "\(store.place) \(text)",
                hint: wanted.map { "set AWS_REGION=\($0); asking for it costs time" },
                facts: facts)
        } catch {
            var failure = error.failure
            failure.hint = failure.hint?.replacing("; the picture waits in the spool", with: "")
            return .failed("storage", failure)
        }
    }

    private mutating func probe() throws(StoreFailure) -> String {
        let (first, isRefused) = try put(digest: Self.wrongDigest)
        let version = first.headers["x-amz-version-id"]
        let removal = try delete(version: isRefused ? nil : version)
        guard (200...299).contains(removal.status) else {
            return isRefused
                ? "may be written, not removed from: the probe was one that it had to refuse, so nothing stays"
                : "took a probe that may not be removed: it stays as \(store.settings.prefix)\(Self.key), the same each time"
        }
        guard isRefused else { return "took a probe, which is removed" }
        if let marker = removal.headers["x-amz-version-id"], marker != "null" {
            // Removing what wasn't there has left a mark of its own.
            _ = try delete(version: marker)
            return "may be written; it keeps versions, so the probe was one that it had to refuse"
        }
        _ = try put(digest: nil)
        let last = try delete(version: nil)
        guard (200...299).contains(last.status) else { throw store.failure(last, S3Error(last.body)) }
        return "took a probe, which is removed"
    }

    /// - Returns: the answer, and whether it is the refusal that a wrong digest asks for.
    private mutating func put(digest: String?) throws(StoreFailure) -> (HTTPResponse, isRefused: Bool) {
        var headers = [("content-type", "text/plain")]
        if let digest { headers.append(("content-md5", digest)) }
        let response = try send("PUT", headers: headers, body: Self.content)
        let error = S3Error(response.body)
        if digest != nil, response.status == 400, ["BadDigest", "InvalidDigest"].contains(error.code) {
            return (response, true)
        }
        guard (200...299).contains(response.status), error.code.isEmpty else { throw store.failure(response, error) }
        return (response, false)
    }

    private mutating func delete(version: String?) throws(StoreFailure) -> HTTPResponse {
        let named = version == "null" ? nil : version
        return try send("DELETE", query: named.map { "versionId=" + percentEncoded($0) } ?? "", headers: [], body: nil)
    }

    /// The answer to one request, signed again where the store names another region or clock.
    private mutating func send(
        _ method: String, query: String = "", headers: [(String, String)], body: [UInt8]?
    ) throws(StoreFailure) -> HTTPResponse {
        var corrections = 0
        while true {
            let request = store.request(
                method, key: Self.key, query: query, headers: headers, body: body.map(HTTPBody.bytes) ?? .none,
                sha256: hexadecimal(Crypto.sha256(body ?? [])), deadline: deadline.sooner(.seconds(6)))
            let response = try store.heard(store.client.answer(to: request))
            let error = S3Error(response.body)
            let isFine = (200...299).contains(response.status) && error.code.isEmpty
            guard !isFine, corrections < 2, store.failure(response, error).advice == .signAgain else { return response }
            corrections += 1
        }
    }
}
