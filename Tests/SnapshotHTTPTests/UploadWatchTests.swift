import SnapshotBase
import Testing

@testable import SnapshotHTTP

@Suite struct UploadWatchTests {
    private static let start = Uptime(nanoseconds: 1_000_000_000_000)

    private func watch(bound: Duration? = nil, deadline: Duration = .seconds(8)) -> UploadWatch {
        var timeouts = UploadTimeouts()
        timeouts.uploadDeadline = bound
        return UploadWatch(timeouts, deadline: Deadline(Self.start + deadline), now: Self.start)
    }

    /// When the upload is given up, in seconds; nil where it isn't within 20 min.
    /// - Parameter sent: bytes sent after so many seconds.
    private func end(
        _ watch: UploadWatch, of whole: Int, received: (Int) -> Int = { _ in 0 }, sent: (Int) -> Int
    ) -> Int? {
        var watch = watch
        return (0...1200).first { second in
            watch.failure(
                sent: min(whole, sent(second)), of: whole, received: received(second),
                now: Self.start + .seconds(second)) != nil
        }
    }

    @Test func whatMovesGoesOn() {
        #expect(end(watch(), of: 1_000_000) { $0 * 10000 } == 160, "a minute for the answer to the whole body")
        #expect(end(watch(), of: 10_000_000) { $0 * 100 } == 900, "a quarter of an hour in all")
        #expect(end(watch(), of: 10_000_000) { $0 / 15 } == 900, "a byte now and then")
    }

    @Test func whatStandsStillIsLeft() {
        #expect(end(watch(), of: 1000) { min($0, 5) * 100 } == 25)
        #expect(end(watch(), of: 0) { _ in 0 } == 20, "no body yet")
    }

    @Test func theAnswerIsWaitedFor() {
        #expect(end(watch(), of: 1000) { _ in 1000 } == 60)
        #expect(end(watch(bound: .seconds(8)), of: 1000) { _ in 1000 } == 8)
        #expect(end(watch(bound: .seconds(3), deadline: .seconds(8)), of: 1000) { _ in 1000 } == 8)
        #expect(end(watch(bound: .seconds(8)), of: 100) { $0 * 10 } == 18, "the body took longer than the deadline")
        #expect(end(watch(bound: .seconds(600), deadline: .seconds(600)), of: 100) { _ in 100 } == 60)
    }

    @Test func anAnswerThatComesEarlyGetsNoMoreTime() {
        #expect(end(watch(), of: 1000, received: { $0 }) { min($0, 5) } == 61)
    }

    @Test func aDelayByTheRateIsNoStall() {
        var watch = watch()
        func failure(_ seconds: Double, waited: Double) -> HTTPFailure? {
            watch.failure(
                sent: 10, of: 100, received: 0, now: Self.start + .seconds(1) * seconds,
                waited: .seconds(1) * waited)
        }
        #expect(failure(1, waited: 1) == nil)
        // The program itself waited for 15 of these 30 seconds, and for none of the next 10.
        #expect(failure(31, waited: 16) == nil)
        #expect(failure(41, waited: 16)?.stalledFor == .seconds(25))
    }
}
