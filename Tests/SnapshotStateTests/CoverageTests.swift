import SnapshotBase
import Testing

@testable import SnapshotState

@Suite struct CoverageTests {
    private func hours(_ range: Range<Int>, _ captures: Int = 360, failures: Int = 0) -> [Hour] {
        range.map { number in
            var hour = Hour(hour: number)
            (hour.captures, hour.uploads, hour.failures) = (captures, captures, failures)
            return hour
        }
    }

    @Test func aWholeDay() {
        let coverage = Coverage(of: hours(1000..<1048), in: 1023..<1047, interval: 10)
        #expect(coverage?.taken == 8640 && coverage?.due == 8640 && coverage?.hours == 24 && coverage?.share == 1)
    }

    @Test func failuresAndHoursWithoutARunCount() {
        let known = hours(1000..<1030) + hours(1030..<1031, 100, failures: 260) + hours(1035..<1048)
        let coverage = Coverage(of: known, in: 1023..<1047, interval: 10)
        // 19 whole hours, one with 100, and four without any.
        #expect(coverage?.due == 8640 && coverage?.taken == 19 * 360 + 100)
    }

    @Test func theFirstHourBeganInItsMiddle() {
        let coverage = Coverage(of: hours(1040..<1041, 7) + hours(1041..<1047), in: 1023..<1047, interval: 10)
        #expect(coverage?.hours == 6 && coverage?.share == 1)
        #expect(Coverage(of: hours(1046..<1047), in: 1023..<1047, interval: 10) == nil)
        #expect(Coverage(of: [], in: 1023..<1047, interval: 10) == nil)
    }

    @Test func anIntervalThatWasLongerBeforeIsNoOutage() {
        let coverage = Coverage(of: hours(1000..<1040, 60) + hours(1040..<1048), in: 1023..<1047, interval: 10)
        #expect(coverage?.share == 1)
    }

    @Test(arguments: [Int.min, -1, 0, Int.max])
    func insaneFigures(number: Int) {
        for captures in [Int.min, Int.max] {
            let known = hours(1020..<1046) + hours(1046..<1047, captures, failures: captures)
            _ = Coverage(of: known, in: 1023..<1047, interval: 10)?.share
            var insane = Hour(hour: number)
            insane.captures = captures
            _ = Coverage(of: [insane] + known, in: 1023..<1047, interval: 1e-300)?.share
            var record = Record(version: "1", camera: "c", now: now, intervalSeconds: 10)
            record.hours = [insane]
            var days = DayShares()
            (days.last, days.shares) = (number, Array(repeating: number, count: 40))
            record.days = days
            record.countHour(now: now, captured: true, uploadMilliseconds: 5)
            #expect(
                record.days.map { $0.shares.count <= 40 && $0.mean.map { (0...1).contains($0.share) } ?? true } == true)
        }
    }

    private let now = Now(wall: Timestamp(milliseconds: 1_768_991_445_000), up: 5000, boot: "b")

    @Test func daysAreKeptAsTheyEnd() throws {
        var record = Record(version: "1", camera: "c", now: now, intervalSeconds: 600)
        var wall = Timestamp(milliseconds: 1_768_953_600_000)  // a day's beginning, UTC
        for day in 0..<40 {
            for run in 0..<144 {
                // Every third day half of the pictures are missing, and the 38th had no run at all.
                if day != 38 {
                    let isTaken = day % 3 != 0 || run % 2 == 0
                    record.countHour(
                        now: Now(wall: wall, up: 1, boot: "b"), captured: isTaken, uploadMilliseconds: isTaken ? 5 : nil
                    )
                }
                wall = wall.advanced(byMilliseconds: 600_000)
            }
        }
        record.countHour(now: Now(wall: wall, up: 1, boot: "b"), captured: true, uploadMilliseconds: 5)
        let days = try #require(record.days)
        #expect(days.shares.count == 30 && days.shares.suffix(4) == [5000, 10_000, 0, 5000])
        #expect(try #require(Record(json: record.json)) == record)
        #expect(days.mean?.days == 30)
    }

    @Test(arguments: [(1.0, "100 %"), (0.99999, "99.9 %"), (0.5, "50.0 %"), (0, "0.0 %"), (7, "100 %"), (-1, "0.0 %")])
    func percents(share: Double, text: String) {
        #expect(percent(share) == text)
    }
}
