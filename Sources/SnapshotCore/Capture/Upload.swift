import SnapshotBase
import SnapshotState

/// Retry as the contract has it: full jitter, the store's Retry-After, a quota that lives across runs, an absolute end.
package struct RetryPolicy: Sendable {
    package var attempts: Int
    package var deadline: Deadline

    private static let longest = Duration.seconds(20)
    private static let cost = 5
    /// An attempt that the deadline would end at once isn't worth making.
    private static let least = Duration.milliseconds(20)

    package init(attempts: Int, deadline: Deadline) {
        self.attempts = attempts
        self.deadline = deadline
    }

    /// How long to wait before the attempt after `attempt`; nil where there is none.
    /// - Parameters:
    ///   - attempt: the one that failed, from 1.
    ///   - quota: tokens left; a retry takes five.
    ///   - random: a number from 0 to 1, for the jitter.
    package func pause(
        after attempt: Int, _ failure: StoreFailure, quota: inout Int, random: () -> Double
    ) -> Duration? {
        let base: Duration
        switch failure.advice {
        case .giveUp, .signAgain: return nil
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

/// Puts one object, with retries. What happens between attempts is the caller's: `onFailure` is called after every
/// failed attempt, before any pause, and may correct the object.
package func put(
    _ object: inout StoredObject, into store: inout any Store, _ policy: RetryPolicy, quota: inout Int,
    attempts: inout Int, onFailure: (StoreFailure, inout StoredObject) -> Void
) throws(StoreFailure) {
    var reusesConnection = true
    var signedAgain = 0
    while true {
        attempts += 1
        do throws(StoreFailure) {
            try store.put(object, deadline: policy.deadline, reusesConnection: reusesConnection)
            quota = min(Record.fullRetryQuota, quota + 1)
            return
        } catch {
            // Once for the region and once for the clock: these aren't retries but corrections.
            let isCorrection = error.advice == .signAgain && signedAgain < 2 && !policy.deadline.hasPassed
            if isCorrection { signedAgain += 1 }
            let pause = policy.pause(after: attempts - signedAgain, error, quota: &quota) {
                .random(in: 0...1)
            }
            onFailure(error, &object)
            guard isCorrection || pause != nil, !HeldSignals.areWaiting else { throw error }
            if let pause { sleep(pause, until: policy.deadline) }
            reusesConnection = !error.connectionFailed
        }
    }
}
