import SnapshotBase
import SnapshotHTTP
import SnapshotState

/// Where pictures end up: a bucket, a folder, an HTTP endpoint.
///
/// `put` returns only when the store has acknowledged the object; anything else throws. It makes one attempt (and, where
/// the store names another region or clock, says so and leaves the next attempt to the caller), ends by the deadline,
/// and may be called again with the same object: the same key then holds the same bytes. Retries, spooling and the
/// order of objects are the caller's. Across the network an upload that moves may take longer than the deadline, as
/// `UploadTimeouts` has it.
package protocol Store {
    /// For messages; never a secret.
    var place: String { get }
    /// The store's clock minus ours, in milliseconds, as its last answer told; nil where it has none.
    var clockOffset: Int64? { get }
    /// The region it asked for, if it ever did.
    var learnedRegion: LearnedRegion? { get }
    /// What else its refusals taught, if anything.
    var learned: LearnedStore? { get }
    /// Its temporary credentials, if it has such.
    var lease: LeaseFigures? { get }
    mutating func put(_ object: StoredObject, deadline: Deadline, reusesConnection: Bool) throws(StoreFailure)
}

extension Store {
    package var clockOffset: Int64? { nil }
    package var learnedRegion: LearnedRegion? { nil }
    package var learned: LearnedStore? { nil }
    package var lease: LeaseFigures? { nil }
}

/// A store across the network, which takes an object in one request. Whoever makes the requests, one at a time or several
/// at once, hands over what they come to.
package protocol RemoteStore: Store {
    var client: HTTPClient { get }
    var clockOffset: Int64? { get set }
    /// The one that says where it is, for messages.
    var addressSetting: String { get }
    /// Whether it is spoken to over TLS: then an authority vouches for it.
    var isVerified: Bool { get }

    /// Gets what requests need that the settings don't hold; comes before each of them.
    mutating func prepare(_ deadline: Deadline) throws(StoreFailure)
    func request(putting object: StoredObject, deadline: Deadline, reusesConnection: Bool) -> HTTPRequest
    /// Learns from the answer to such a request; returns where it acknowledges the object.
    mutating func settle(_ answer: HTTPAnswer, of key: String) throws(StoreFailure)
}

extension RemoteStore {
    package mutating func put(_ object: StoredObject, deadline: Deadline, reusesConnection: Bool) throws(StoreFailure) {
        try prepare(deadline)
        try settle(
            client.answer(to: upload(object, client.uploadTimeouts, deadline, reusesConnection: reusesConnection)),
            of: object.key)
    }

    /// A request that puts `object`, with the time that uploads are given.
    package func upload(
        _ object: StoredObject, _ timeouts: UploadTimeouts?, _ deadline: Deadline, reusesConnection: Bool
    ) -> HTTPRequest {
        var request = request(putting: object, deadline: deadline, reusesConnection: reusesConnection)
        request.timeouts = timeouts
        return request
    }

    /// The response, which has told the store's time; throws where there is none.
    package mutating func receive(_ answer: HTTPAnswer) throws(StoreFailure) -> HTTPResponse {
        switch answer {
        case .response(let response):
            clockOffset = CaptureClock.believable(response.clockOffset, isVerified: isVerified)
            return response
        case .none(let failure):
            throw StoreFailure(failure, place: place, setting: addressSetting, isVerified: isVerified)
        }
    }
}

/// One picture, or one recorded segment, on its way.
package struct StoredObject: Sendable {
    package var key: String
    /// `.bytes` or `.file`.
    package var content: HTTPBody
    package var contentType: String
    package var capturedAt: Timestamp
    package var camera: String
    /// Of the content, lower-case hexadecimal.
    package var sha256: String
    package var clock: ClockQuality
    /// Whether it waited in the spool, so that newer ones may be stored already.
    package var isLate = false

    package init(
        key: String, content: HTTPBody, contentType: String = "image/jpeg", capturedAt: Timestamp,
        camera: String,
        sha256: String, clock: ClockQuality
    ) {
        self.key = key
        self.content = content
        self.contentType = contentType
        self.capturedAt = capturedAt
        self.camera = camera
        self.sha256 = sha256
        self.clock = clock
    }

    package var fileName: String {
        key[...].cutAtLast("/").map { String($1) } ?? key
    }

    /// The facts that go with the content, as every store gets them; values are fit for headers.
    var facts: [(name: String, value: String)] {
        [
            ("camera", headerText(camera)), ("captured-at", capturedAt.iso8601Milliseconds),
            ("sha256", sha256),
            ("clock", headerText(clock.rawValue)),
        ]
    }
}

/// An attempt that failed, and what to do about it.
package struct StoreFailure: Error, Sendable {
    package enum Advice: Equatable, Sendable {
        /// A person has to do something first.
        case giveUp
        case retry
        /// The store asks for less.
        case slowDown
        /// Sign again: the store's clock or region is another, and the store value now knows it.
        case signAgain
    }

    /// What a failure with one object says about the next ones.
    package enum Scope: Equatable, Sendable {
        /// Only this object is meant: the store refuses it for what it is.
        case object
        /// The store failed while it had this object. Others may fare better, but several in a row mean the store.
        case unclear
        /// The store as a whole: no other object would fare better.
        case store
    }

    package var failure: Failure
    package var advice: Advice
    package var scope: Scope
    /// The least time to wait, as the store asks.
    package var retryAfter: Duration?
    /// Whether the connection is to blame, so that another should be used.
    package var connectionFailed = false
    /// How long nothing had moved when it was given up.
    package var stoodStill: Duration?
    /// The store's clock minus ours, in milliseconds, where that is why it refused.
    package var clockOffset: Int64?
    /// Whether it may take the object under another key.
    package var refusesKey = false

    package init(_ failure: Failure, _ advice: Advice, _ scope: Scope = .store) {
        self.failure = failure
        self.advice = advice
        self.scope = scope
    }
}
