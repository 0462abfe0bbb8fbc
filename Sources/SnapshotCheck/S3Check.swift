import SnapshotBase
import SnapshotHTTP
import SnapshotState
import SnapshotStore

/// Checks a bucket by a probe with a wrong hash, which a store refuses only after it has accepted signature,
/// permission, bucket and headers. If DeleteObject is allowed and the bucket keeps no versions, a correct probe is then
/// put and removed. A probe stays only where the store ignores the wrong hash and denies DeleteObject.
struct S3Check {
    private(set) var store: S3Store
    let capturedAt: Timestamp
    let deadline: Deadline

    private static let content = Array("probe\n".utf8)
    /// Error codes for a body that doesn't match its hash.
    private static let mismatches: Set = [
        "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "BadDigest", "InvalidDigest",
    ]
    /// All probes have the same name, so the next check overwrites or removes one that stayed.
    private static let key = ".snapshot-check"

    mutating func run() -> Finding {
        let watch = store.settings.context.clock.stopwatch()
        do throws(StoreFailure) {
            let region = store.settings.region
            let text = try probe()
            let wanted = store.learnedRegion?.name
            let facts: [String: JSON] = [
                "milliseconds": .integer(watch.elapsed.milliseconds), "region": .string(wanted ?? region),
            ]
            return .passed(
                "storage", "\(store.address) \(text)",
                hint: wanted.map { "set AWS_REGION=\($0); asking for it costs time" },
                facts: facts)
        } catch {
            return .failed("storage", error.failure)
        }
    }

    /// A finding about temporary credentials, if the store uses them.
    func temporaryCredentials() -> [Finding] {
        guard let (holder, end) = store.temporaryCredentials else { return [] }
        let until = end.map { "they are valid until \($0.iso8601)" } ?? "they don't expire"
        return [
            .passed(
                "credentials", "\(holder) were received; \(until)",
                facts: end.map { ["end": .string($0.iso8601)] } ?? [:])
        ]
    }

    private mutating func probe() throws(StoreFailure) -> String {
        let (first, isRefused) = try put(isTrue: false)
        let version = first.headers["x-amz-version-id"]
        let removal = try delete(version: isRefused ? nil : version)
        guard (200...299).contains(removal.status) else {
            return isRefused
                ? "can be written to; nothing can be deleted there, so a wrong hash was sent on purpose "
                    + "and nothing was stored"
                : "accepted a test object, which these credentials can't delete: it stays as \(store.settings.prefix)\(Self.key), the same each time"
        }
        guard isRefused else { return "accepted a test object, which was removed again" }
        if let marker = removal.headers["x-amz-version-id"], marker != "null" {
            // Deleting an object that didn't exist has left a delete marker in the versioned bucket: remove that.
            _ = try delete(version: marker)
            return "can be written to; it keeps versions, so a wrong hash was sent on purpose and nothing was stored"
        }
        _ = try put(isTrue: true)
        let last = try delete(version: nil)
        guard (200...299).contains(last.status) else { throw store.failure(last, S3Error(last.body)) }
        return "accepted a test object, which was removed again"
    }

    /// Puts the probe as a capture puts its picture.
    /// - Parameter isTrue: whether the hash in the request is that of the body.
    /// - Returns: the response, and whether it is the refusal that a wrong hash must get.
    private mutating func put(isTrue: Bool) throws(StoreFailure) -> (HTTPResponse, isRefused: Bool) {
        let object = StoredObject(
            key: Self.key, content: .bytes(Self.content), capturedAt: capturedAt, camera: "check",
            sha256: hexadecimal(Crypto.sha256(isTrue ? Self.content : [])), clock: .trusted)
        var corrections = 0
        while true {
            do throws(StoreFailure) {
                try store.prepare(deadline.sooner(.seconds(8)))
                let result = store.client.result(
                    of: store.request(putting: object, deadline: deadline.sooner(.seconds(6)), reusesConnection: true))
                let response = try store.receive(result)
                if !isTrue, response.status == 400, Self.mismatches.contains(S3Error(response.body).code) {
                    return (response, true)
                }
                try store.checkResult(result, of: object.key)
                return (response, false)
            } catch {
                guard error.advice == .retryCorrected, corrections < Attempts.mostCorrections else { throw error }
                corrections += 1
            }
        }
    }

    private mutating func delete(version: String?) throws(StoreFailure) -> HTTPResponse {
        let named = version == "null" ? nil : version
        return try send("DELETE", query: named.map { "versionId=" + percentEncoded($0) } ?? "")
    }

    /// Sends a signed request without a body. Region and clock are right, since a put came before it.
    private mutating func send(_ method: String, query: String) throws(StoreFailure) -> HTTPResponse {
        let request = store.request(
            method, key: Self.key, query: query, headers: [], body: .none, sha256: hexadecimal(Crypto.sha256([])),
            deadline: deadline.sooner(.seconds(6)))
        return try store.receive(store.client.result(of: request))
    }
}
