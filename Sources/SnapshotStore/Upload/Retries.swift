import SnapshotBase
import SnapshotState

/// When to retry: full jitter, the store's Retry-After, a quota shared by all runs, and an absolute deadline.
package struct RetryPolicy: Sendable {
    package var attempts: Int
    package var deadline: Deadline

    private static let longest = Duration.seconds(20)
    private static let cost = 5
    /// No attempt is made if less time than this is left.
    private static let least = Duration.milliseconds(20)

    package init(attempts: Int, deadline: Deadline) {
        self.attempts = attempts
        self.deadline = deadline
    }

    /// How long to wait before the attempt after `attempt`; nil to give up.
    /// - Parameters:
    ///   - attempt: the one that failed, from 1.
    ///   - quota: tokens left; a retry takes five.
    ///   - random: returns a number from 0 to 1, for the jitter.
    package func pause(
        after attempt: Int, _ failure: StoreFailure, quota: inout Int, random: () -> Double
    ) -> Duration? {
        let base: Duration
        switch failure.advice {
        case .giveUp, .retryCorrected: return nil
        case .retry: base = .milliseconds(50)
        case .slowDown: base = .seconds(1)
        }
        guard attempt < attempts, quota >= Self.cost else { return nil }
        let ceiling = min(Self.longest, base * (1 << min(attempt - 1, 16)))
        let pause = max(ceiling * random(), failure.retryAfter ?? .zero)
        guard pause + Self.least < deadline.left else { return nil }
        quota -= Self.cost
        return pause
    }
}

/// The attempts to upload one object.
package struct Attempts: Sendable {
    package let policy: RetryPolicy
    /// How many attempts have begun.
    package private(set) var count = 0
    private var corrections = 0
    /// The most attempts that repeat a corrected request (`Advice.retryCorrected`); they don't count as retries.
    package static let mostCorrections = 4
    /// Whether the next attempt may use an open connection.
    package private(set) var reusesConnection = true

    package init(_ policy: RetryPolicy) { self.policy = policy }

    package mutating func begin() { count += 1 }

    /// How long to wait before the next attempt; nil to give up.
    package mutating func pause(after failure: StoreFailure, quota: inout Int) -> Duration? {
        reusesConnection = !failure.connectionFailed
        if failure.advice == .retryCorrected, corrections < Self.mostCorrections, !policy.deadline.hasPassed {
            corrections += 1
            return .zero
        }
        return policy.pause(after: count - corrections, failure, quota: &quota) { .random(in: 0...1) }
    }
}

extension Int {
    /// The retry quota after a success: one token more.
    package var replenished: Int { Swift.min(Record.fullRetryQuota, self + 1) }
}

/// Uploads one object, with retries.
/// - Parameters:
///   - quota: tokens for retries, from the record; changed.
///   - onFailure: called after every failed attempt, before any pause; it may correct the object.
/// - Throws: the last attempt's failure.
package func putWithRetries(
    _ object: inout StoredObject, into store: inout any Store, _ attempts: inout Attempts, quota: inout Int,
    stop: StopRequest, onFailure: (StoreFailure, inout StoredObject) -> Void = { _, _ in }
) throws(StoreFailure) {
    let deadline = attempts.policy.deadline
    while true {
        attempts.begin()
        do throws(StoreFailure) {
            try store.put(object, deadline: deadline, reusesConnection: attempts.reusesConnection)
            quota = quota.replenished
            return
        } catch {
            let pause = attempts.pause(after: error, quota: &quota)
            onFailure(error, &object)
            guard let pause, !stop.isMade else { throw error }
            sleep(pause, until: deadline)
        }
    }
}
