import SnapshotBase
import Testing

@testable import SnapshotRelay

@Suite struct FolderWatchTests {
    /// Checks once a second; returns the verdict of each check.
    private struct Clock {
        var watch = FolderWatch(segmentTime: .seconds(4), stallTimeout: .seconds(20))
        var now = Uptime(nanoseconds: 0)

        mutating func pass(
            _ seconds: Int, growing: Int? = nil, trouble: FolderTrouble? = nil
        ) -> [FolderWatch.Verdict] {
            (0..<seconds).compactMap { second in
                now = now + .seconds(1)
                let grew = growing.map { second % $0 == 0 } ?? false
                return watch.check(now: now, grew: grew, trouble: { _ in trouble })
            }
        }
    }

    @Test func whatGrowsIsFineHoweverSeldom() {
        var clock = Clock()
        #expect(clock.pass(600, growing: 4).allSatisfy { $0 == .fine })
        #expect(clock.pass(1200, growing: 100).allSatisfy { $0 == .fine })
    }

    @Test func aFolderInTroubleIsToldAndThenBegunAnew() {
        var clock = Clock()
        _ = clock.pass(40, growing: 4)
        let told = clock.pass(300, trouble: .full)
        #expect(told.count > 290 && told.allSatisfy { $0 == .trouble(.full) })
        #expect(clock.pass(9) == [])
        #expect(clock.pass(4) == [.restart])
    }

    @Test func oneThatStalledIsRestartedAndOneThatNeverWroteIsNot() {
        var clock = Clock()
        _ = clock.pass(41, growing: 4)
        #expect(clock.pass(120) == [])
        #expect(clock.pass(10) == [.restart])
        clock.watch.begin()
        #expect(clock.pass(119) == [])
        let told = clock.pass(600)
        #expect(!told.isEmpty && told.allSatisfy { $0 == .trouble(.stuck) })
    }

    /// No file is written as a probe while a camera with few key frames may be the reason.
    @Test func aFolderIsProbedOnceItShouldHaveGrown() {
        var clock = Clock()
        _ = clock.pass(100, growing: 10)
        var probes: [Int] = []
        for second in 1...30 {
            clock.now = clock.now + .seconds(1)
            _ = clock.watch.check(now: clock.now, grew: false) { isOverdue in
                if isOverdue { probes.append(second) }
                return nil
            }
        }
        #expect(probes.first.map { (6...15).contains($0) } == true)
    }

    @Test func timeWithoutMediaDoesNotCount() {
        var clock = Clock()
        _ = clock.pass(40, growing: 4)
        clock.now = clock.now + .seconds(3600)
        #expect(clock.pass(100) == [])
    }
}
