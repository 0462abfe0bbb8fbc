import SnapshotBase
import Testing

@testable import SnapshotStore

private let failure = Failure(.store(.error), "store failed", why: "HTTP status 500")

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy(attempts: 8, deadline: .after(.seconds(60)))

    private func pause(_ attempt: Int, _ advice: StoreFailure.Advice, after: Duration? = nil, random: Double = 1)
        -> Duration?
    {
        var quota = 500
        var cause = StoreFailure(failure, advice)
        cause.retryAfter = after
        return policy.pause(after: attempt, cause, quota: &quota) { random }
    }

    @Test func growsWithFullJitterToItsCap() {
        #expect((1...4).map { pause($0, .retry)?.milliseconds } == [50, 100, 200, 400])
        #expect((1...7).map { pause($0, .slowDown)?.milliseconds } == [1000, 2000, 4000, 8000, 16000, 20000, 20000])
        #expect(pause(3, .retry, random: 0) == .zero)
        #expect(pause(3, .retry, random: 0.5) == .milliseconds(100))
    }

    @Test func honoursRetryAfterAndTheDeadline() {
        #expect(pause(1, .slowDown, after: .seconds(7), random: 0) == .seconds(7))
        #expect(pause(1, .retry, after: .seconds(61)) == nil)
    }

    @Test func givesUpWhenItShould() {
        #expect(pause(1, .giveUp) == nil)
        #expect(pause(8, .retry) == nil)
        var quota = 4
        #expect(policy.pause(after: 1, StoreFailure(failure, .retry), quota: &quota) { 0 } == nil)
        quota = 12
        _ = policy.pause(after: 1, StoreFailure(failure, .retry), quota: &quota) { 0 }
        #expect(quota == 7)
    }
}

@Suite struct AttemptsTests {
    @Test func someCorrectionsAreFreeAndTheNextIsNone() {
        var attempts = Attempts(RetryPolicy(attempts: 1, deadline: .after(.seconds(60))))
        var quota = 0
        for _ in 1...Attempts.mostCorrections {
            attempts.begin()
            #expect(attempts.pause(after: StoreFailure(failure, .retryCorrected), quota: &quota) == .zero)
        }
        attempts.begin()
        #expect(attempts.pause(after: StoreFailure(failure, .retryCorrected), quota: &quota) == nil)
        #expect(attempts.count == Attempts.mostCorrections + 1)
    }

    @Test func retriesAreCountedWithoutTheCorrections() {
        var attempts = Attempts(RetryPolicy(attempts: 2, deadline: .after(.seconds(60))))
        var quota = 500
        attempts.begin()
        #expect(attempts.pause(after: StoreFailure(failure, .retryCorrected), quota: &quota) == .zero)
        attempts.begin()
        #expect(attempts.pause(after: StoreFailure(failure, .retry), quota: &quota) != nil)
        attempts.begin()
        #expect(attempts.pause(after: StoreFailure(failure, .retry), quota: &quota) == nil)
    }

    @Test func aConnectionThatFailedIsNotUsedAgain() {
        var attempts = Attempts(RetryPolicy(attempts: 3, deadline: .after(.seconds(60))))
        var quota = 500
        var lost = StoreFailure(failure, .retry)
        lost.connectionFailed = true
        #expect(attempts.reusesConnection)
        _ = attempts.pause(after: lost, quota: &quota)
        #expect(!attempts.reusesConnection)
        _ = attempts.pause(after: StoreFailure(failure, .retry), quota: &quota)
        #expect(attempts.reusesConnection)
    }
}
