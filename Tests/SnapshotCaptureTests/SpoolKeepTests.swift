import SnapshotSettings
import Testing

@testable import SnapshotCapture

@Suite struct SpoolKeepTests {
    /// The numbers that stay when `all` pictures come to a spool that holds `most`.
    private func left(_ keep: SpoolKeep, all: Int, most: Int) -> [Int] {
        var waiting: [SpoolName] = []
        for number in 1...all {
            if waiting.count == most { waiting.remove(at: keep.victim(among: waiting, newest: number)) }
            waiting.append(SpoolName(number: number, bytes: 100))
        }
        return waiting.map(\.number)
    }

    @Test func newestKeepsTheNewest() {
        #expect(left(.newest, all: 30, most: 10) == Array(21...30))
        #expect(left(.newest, all: 3, most: 1) == [3])
    }

    @Test func thinDropsEverySecondOfTheOldest() {
        #expect(left(.thin, all: 12, most: 10) == [1, 3, 5, 6, 7, 8, 9, 10, 11, 12])
    }

    @Test(arguments: [100, 1000, 5000]) func thinnedSpoolReachesBackToTheBeginning(all: Int) {
        let left = left(.thin, all: all, most: 50)
        #expect(left.count == 50 && left.first == 1 && left.last == all)
        let gaps = zip(left, left.dropFirst()).map { $1 - $0 }
        // Older pictures are sparser, and no gap exceeds a quarter of the pictures that came after its begin.
        #expect(gaps.prefix(10).reduce(0, +) > gaps.suffix(10).reduce(0, +))
        for (index, gap) in gaps.enumerated() { #expect(gap <= max(2, (all - left[index]) / 4)) }
    }

    @Test(arguments: 1...3) func thinNeedsNoMoreThanOneEntry(most: Int) {
        #expect(left(.thin, all: 20, most: most).last == 20)
    }
}
