import SnapshotBase
import SnapshotHTTP
import SnapshotState

/// Where pictures are stored: a bucket, a folder, an HTTP endpoint.
///
/// `put` returns only when the store has acknowledged the object; otherwise it throws. It makes one attempt and ends by
/// the deadline; over the network an upload that makes progress may take longer, as `UploadTimeouts` says. If the
/// store asks for a changed request, `put` throws `.retryCorrected`, and the next attempt makes it. It may be called
/// again with the same object: the same key then holds the same bytes. Another object of the same key replaces the
/// one before, unless S3_IF_NONE_MATCH forbids it. The caller retries, spools and orders objects.
package protocol Store {
    /// The store's address for messages; never a secret.
    var address: String { get }
    /// The store's clock minus ours, in milliseconds, by its last response; nil where it gave no time.
    var clockOffset: Int64? { get }
    /// The region that the store has asked for instead of the settings'.
    var learnedRegion: LearnedRegion? { get }
    /// What else is known about the store, for the next run and for health. It replaces what the record has, so nil
    /// makes later runs forget what earlier ones found out.
    var learned: LearnedStore? { get }
    /// The status of the temporary credentials in use, if any.
    var credentials: CredentialsStatus? { get }
    /// Makes one attempt. `reusesConnection` says whether an open connection may be used.
    mutating func put(_ object: StoredObject, deadline: Deadline, reusesConnection: Bool) throws(StoreFailure)
}

extension Store {
    package var clockOffset: Int64? { nil }
    package var learnedRegion: LearnedRegion? { nil }
    package var learned: LearnedStore? { nil }
    package var credentials: CredentialsStatus? { nil }
}

/// A store over the network that takes an object in one HTTP request. A conforming type only makes requests and checks
/// results: `put` sends one at a time, and a caller may send several in parallel.
package protocol RemoteStore: Store {
    var client: HTTPClient { get }
    var clockOffset: Int64? { get set }
    /// The setting that holds the store's address, for messages.
    var addressSetting: String { get }
    /// Whether requests go over TLS, so that an authority vouches for the responses.
    var usesTLS: Bool { get }

    /// Gets what a request needs beyond the settings, such as temporary credentials. Called before each request.
    mutating func prepare(_ deadline: Deadline) throws(StoreFailure)
    func request(putting object: StoredObject, deadline: Deadline, reusesConnection: Bool) -> HTTPRequest
    /// Learns from the result of such a request. It returns if the store acknowledges the object, and throws otherwise.
    mutating func checkResult(_ result: HTTPResult, of key: String) throws(StoreFailure)
}

extension RemoteStore {
    package mutating func put(_ object: StoredObject, deadline: Deadline, reusesConnection: Bool) throws(StoreFailure) {
        try prepare(deadline)
        try checkResult(
            client.result(
                of: uploadRequest(object, client.uploadTimeouts, deadline, reusesConnection: reusesConnection)),
            of: object.key)
    }

    /// A request that stores `object`, with the timeouts of uploads.
    package func uploadRequest(
        _ object: StoredObject, _ timeouts: UploadTimeouts?, _ deadline: Deadline, reusesConnection: Bool
    ) -> HTTPRequest {
        var request = request(putting: object, deadline: deadline, reusesConnection: reusesConnection)
        request.timeouts = timeouts
        return request
    }

    /// The response, whose time is noted in `clockOffset`; throws where there is no response.
    package mutating func receive(_ result: HTTPResult) throws(StoreFailure) -> HTTPResponse {
        switch result {
        case .response(let response):
            clockOffset = CaptureClock.credibleOffset(
                response.clockOffset, at: response.receivedAt, isVerified: usesTLS)
            return response
        case .failure(let failure):
            throw StoreFailure(failure, address: address, setting: addressSetting, usesTLS: usesTLS)
        }
    }
}

/// One picture, or one recording, to be stored.
package struct StoredObject: Sendable {
    package var key: String
    /// `.bytes` or `.file`.
    package var content: HTTPBody
    package var contentType: String
    package var capturedAt: Timestamp
    package var camera: String
    /// SHA-256 of the content, lower-case hexadecimal.
    package var sha256: String
    package var clock: ClockQuality
    /// Whether it comes from the spool, so that newer objects may be stored already.
    package var isLate = false

    package init(
        key: String, content: HTTPBody, contentType: String = "image/jpeg", capturedAt: Timestamp,
        camera: String, sha256: String, clock: ClockQuality
    ) {
        self.key = key
        self.content = content
        self.contentType = contentType
        self.capturedAt = capturedAt
        self.camera = camera
        self.sha256 = sha256
        self.clock = clock
    }

    package var fileName: String { key[...].cutAtLast("/").map { String($1) } ?? key }

    /// The metadata that S3 objects and raw HTTP uploads have in their headers; the values are fit for those.
    var metadata: [(name: String, value: String)] {
        [
            ("camera", headerText(camera)), ("captured-at", capturedAt.iso8601Milliseconds),
            ("sha256", sha256),
            ("clock", headerText(clock.rawValue)),
        ]
    }
}

/// An attempt that failed, and what to do about it.
package struct StoreFailure: Error, Sendable {
    /// Whether and how to try again.
    package enum Advice: Equatable, Sendable {
        /// No further attempt in this run: it would fail, too.
        case giveUp
        case retry
        /// Retry, but slowly: the store is overloaded.
        case slowDown
        /// Try again at once with what the store asked for: another time, region, checksum, login or access keys.
        case retryCorrected
    }

    /// What a failure with one object says about the next ones.
    package enum Scope: Equatable, Sendable {
        /// Only this object: the store rejects it for what it is.
        case object
        /// The store failed on this object. Others may succeed, but several such failures in a row mean the store.
        case unclear
        /// The store as a whole: any other object would fail, too.
        case store
    }

    package var failure: Failure
    package var advice: Advice
    package var scope: Scope
    /// The least time to wait, by the store's `Retry-After`.
    package var retryAfter: Duration?
    /// Whether there was no usable response; the next attempt then uses a new connection.
    package var connectionFailed = false
    /// How long no byte had moved when the attempt was given up.
    package var stalledFor: Duration?
    /// The store's clock minus ours, in milliseconds, if that is why it refused.
    package var clockOffset: Int64?
    /// Whether the store may take the object under another key.
    package var refusesKey = false

    package init(_ failure: Failure, _ advice: Advice, _ scope: Scope = .store) {
        self.failure = failure
        self.advice = advice
        self.scope = scope
    }
}
