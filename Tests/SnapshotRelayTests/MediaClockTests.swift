import SnapshotBase
import Testing

@testable import SnapshotRelay

@Suite struct MediaClockTests {
    private static let begin = Uptime(nanoseconds: 1_000_000_000_000)

    /// Whether it has jumped at each (media, time), in seconds.
    private func jumps(_ steps: [(Double, Double)]) -> [Bool] {
        var clock = MediaClock(tolerance: .seconds(30))
        return steps.map { media, time in
            clock.hasJumped(
                to: .milliseconds(Int(media * 1000)), now: Self.begin + .milliseconds(Int(time * 1000)))
        }
    }

    @Test func timeThatGoesOnIsNoJump() {
        #expect(jumps([(900, 0), (901, 1), (902.2, 2), (903, 3)]) == [false, false, false, false])
    }

    @Test func aBurstAfterAPauseIsNoJump() {
        #expect(jumps([(0, 0), (0.1, 20), (20, 21), (21, 22)]) == [false, false, false, false])
        #expect(jumps([(0, 0), (600, 600)]) == [false, false])
    }

    @Test func aClockThatIsSetIsAJump() {
        #expect(jumps([(0, 0), (1, 1), (3601, 2), (3602, 3)]) == [false, false, true, false])
        #expect(jumps([(500, 0), (501, 1), (402, 2), (403, 3)]) == [false, false, true, false])
    }
}
