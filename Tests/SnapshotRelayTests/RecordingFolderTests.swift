import Glibc
import SnapshotBase
import TestKit
import Testing

@testable import SnapshotRelay

@Suite struct RecordingFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func box(_ type: String, _ content: Int) -> [UInt8] {
        let length = content + 8
        let head = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
        return head + Array(type.utf8) + Array(repeating: 0x55, count: content)
    }

    private var head: [UInt8] { box("ftyp", 16) + box("moov", 200) }
    private var fragment: [UInt8] { box("moof", 100) + box("mdat", 1000) }

    private func open(_ retention: RecordingRetention = RecordingRetention()) throws -> RecordingFolder {
        try RecordingFolder(folder.path + "/record", retention: retention)
    }

    private func put(_ name: String, _ bytes: [UInt8]) throws { try folder.write("record/.writing/\(name)", bytes) }
    private var finished: [String] { get throws { try folder.names("record").filter { $0 != ".writing" } } }
    /// The sizes of the finished recordings, in the order of their names.
    private var sizes: [Int] {
        get throws { try finished.compactMap(RecordingName.init).sorted().map { try folder.size("record/" + $0.text) } }
    }

    @Test func aSegmentAppearsWhenTheNextHasBegun() throws {
        var it = try open()
        try put("20260121T103045Z.mp4", head + fragment)
        #expect(it.finish(all: false) == false)
        #expect(try finished.isEmpty)
        try put("20260121T103145Z.mp4", head)
        #expect(it.finish(all: false) == true)
        #expect(try finished == ["20260121T103045Z.mp4"])
        try put("20260121T103145Z.mp4", head + fragment)
        #expect(it.finish(all: true) == true)
        #expect(try finished == ["20260121T103045Z.mp4", "20260121T103145Z.mp4"])
        #expect(try folder.names("record/.writing").isEmpty)
    }

    @Test func theClockMayBeSetBackBetweenTwo() throws {
        var it = try open()
        try put("20260121T103045Z.mp4", head + fragment)
        it.finish(all: false)
        try put("20260121T093045Z.mp4", head + fragment)
        it.finish(all: false)
        #expect(try finished == ["20260121T103045Z.mp4"])
    }

    @Test func nothingIsEverOverwritten() throws {
        var it = try open()
        for size in 1...3 {
            try put("20260121T103045Z.mp4", head + (1...size).flatMap { _ in fragment })
            it.finish(all: true)
        }
        #expect(try finished == ["20260121T103045Z-2.mp4", "20260121T103045Z-3.mp4", "20260121T103045Z.mp4"])
        #expect(try folder.size("record/20260121T103045Z.mp4") == (head + fragment).count)
    }

    @Test func manyThatBeginInOneSecondAreAllKept() throws {
        var it = try open()
        // As after a line that stood still: ffmpeg has begun them all since the last look.
        for number in 8...11 { try put("\(number).mp4", head + (8...number).flatMap { _ in fragment }) }
        let began = systemClock.wall()
        #expect(it.finish(all: false) == true)
        #expect(try finished.count == 3)
        it.finish(all: true)
        let names = try finished.compactMap(RecordingName.init).sorted()
        #expect(try sizes == (1...4).map { head.count + $0 * fragment.count })
        #expect(names.allSatisfy { abs($0.begin.milliseconds - began.milliseconds) < 60_000 })
        #expect(try folder.names("record/.writing").isEmpty)
    }

    @Test func theOrderHoldsWhereOnlySomeOfASecondWereCreatedLate() throws {
        var it = try open()
        it.begin()
        let now = systemClock.wall()
        it.setStreamStart(now.advanced(byMilliseconds: -20_000))
        for number in 0...3 { try put("17-\(number).mp4", head + (0...number).flatMap { _ in fragment }) }
        // The first two begin earlier than their files, and free their names in `.writing`.
        try folder.write("record/.writing/17.csv", "17-0.mp4,0,10.0\n17-1.mp4,10.0,20.0\n17-2.mp4,20.0,20.1\n")
        it.finish(all: false)
        // Created in the same second.
        for number in 4...5 { try put("17-\(number).mp4", head + (0...number).flatMap { _ in fragment }) }
        it.finish(all: false)
        it.finish(all: true)
        let names = try finished.compactMap(RecordingName.init).sorted()
        #expect(try sizes == (1...6).map { head.count + $0 * fragment.count })
        #expect(it.recordings.map(\.name) == names)
    }

    @Test func ffmpegMayCountAnew() throws {
        var it = try open()
        for size in 1...3 {
            try put("0.mp4", head + (1...size).flatMap { _ in fragment })
            #expect(it.finish(all: false) == (size > 1))
        }
        it.finish(all: true)
        #expect(try sizes == (1...3).map { head.count + $0 * fragment.count })
    }

    @Test func whatCannotBeFinishedNowIsTriedAgainInItsPlace() throws {
        var it = try open()
        let names = (30...33).map { "20260121T10\($0)00Z.mp4" }
        // A folder in the second one's place, which can't be finished.
        let inTheWay = folder.path + "/record/.writing/" + names[1]
        try makeDirectory(inTheWay, mode: 0o755)
        for name in names where name != names[1] { try put(name, head + fragment) }
        try put(names[3], head)
        #expect(it.finish(all: false) == true)
        #expect(try finished == [names[0], names[2]])
        // The one that is being written stays the last, however often the other is tried.
        for _ in 1...3 { #expect(it.finish(all: false) == false) }
        try put(names[3], head + fragment + [0, 0, 3])
        #expect(it.finish(all: false) == false)
        #expect(try folder.size("record/.writing/\(names[3])") == (head + fragment).count + 3)
        #expect(removeFolder(inTheWay))
        try put(names[1], head + fragment + fragment)
        #expect(it.finish(all: false) == true)
        #expect(it.recordings.map(\.name.text) == Array(names[0...2]))
        #expect(it.recordings[1].bytes == (head + fragment + fragment).count)
        it.finish(all: true)
        #expect(try finished == names)
        #expect(try folder.size("record/\(names[3])") == (head + fragment).count)
    }

    @Test func growthIsWhatCanBePlayed() throws {
        var it = try open()
        for number in 0..<3 {
            try put("17-\(number).mp4", head)
            #expect(it.finish(all: false) == false)
            #expect(it.takeGrowth() == false)
        }
        try put("17-3.mp4", head + fragment)
        it.finish(all: false)
        #expect(it.takeGrowth() == true)
        #expect(it.takeGrowth() == false)
        let name = try #require(try folder.names("record/.writing").first)
        try put(name, head + fragment + fragment.dropLast())
        #expect(it.takeGrowth() == false)
        try put(name, head + fragment + fragment)
        #expect(it.takeGrowth() == true)
        #expect(it.takeGrowth() == false)
    }

    @Test func whatWasMadeLateIsNamedByTheStreamsTime() throws {
        var it = try open()
        let streamStart = Timestamp(milliseconds: systemClock.wall().milliseconds / 1000 * 1000 - 90_000)
        it.begin()
        it.setStreamStart(streamStart)
        for number in 0...3 { try put("17-\(number).mp4", head + fragment) }
        try folder.write(
            "record/.writing/17.csv", "17-0.mp4,0.000000,20.0\nx,1,2\n17-1.mp4,20.100,inf\n17-1.mp4,20.0,40.0\n")
        it.finish(all: false)
        #expect(
            it.recordings.map(\.name)
                == [0, 20, 40].map { RecordingName(begin: streamStart.advanced(byMilliseconds: $0 * 1000)) })
        // The stream start of a new run isn't known yet, and that of the run before doesn't count.
        it.begin()
        try put("18-0.mp4", head + fragment)
        try folder.write("record/.writing/18.csv", "18-0.mp4,0.000000,20.0\n")
        it.finish(all: true)
        let last = try #require(it.recordings.last)
        #expect(abs(last.name.begin.milliseconds - systemClock.wall().milliseconds) < 30_000)
        #expect(try folder.names("record/.writing") == [])
    }

    @Test func whatIsMadeInTimeIsNamedByTheFileSystem() throws {
        var it = try open()
        it.begin()
        // ffmpeg's progress comes late, and a clock that was set back gives any stream start.
        for behind in [0, 1900, -100_000] {
            it.setStreamStart(systemClock.wall().advanced(byMilliseconds: Int64(-behind)))
            try put("17-\(behind + 100_000).mp4", head + fragment)
            try folder.write("record/.writing/17.csv", "17-\(behind + 100_000).mp4,0.000000,20.0\n")
            it.finish(all: true)
        }
        let ages = it.recordings.map { abs($0.name.begin.milliseconds - systemClock.wall().milliseconds) }
        #expect(ages.count == 3 && ages.allSatisfy { $0 < 2000 })
    }

    @Test func runsAreToldApart() throws {
        var it = try open()
        for (run, number) in [(1_769_000_000_000, 9), (1_769_000_000_000, 10), (1_769_000_060_000, 0)] {
            try put(
                "\(run)-\(number).mp4", head + (0..<(number == 9 ? 1 : number == 10 ? 2 : 3)).flatMap { _ in fragment })
        }
        it.finish(all: true)
        #expect(try sizes == (1...3).map { head.count + $0 * fragment.count })
    }

    @Test func leftoversAreCutToWhatIsWholeOrDropped() throws {
        _ = try open()
        let whole = head + fragment + fragment
        try put("20260121T103045Z.mp4", whole + box("moof", 100) + [0, 0, 3, 0xF0] + Array("mdat".utf8) + [1, 2, 3])
        try put("20260121T103145Z.mp4", Array(box("ftyp", 20)))
        try put("20260121T103245Z.mp4", [])
        try put("7.mp4", [])
        try put("notes.txt", [1])
        _ = try open()
        #expect(try finished == ["20260121T103045Z.mp4"])
        #expect(try folder.size("record/20260121T103045Z.mp4") == whole.count)
        #expect(try folder.names("record/.writing") == ["notes.txt"])
    }

    @Test func retentionByBytesTakesTheOldestAndOnlyOurs() throws {
        var it = try open()
        try folder.write("record/20260121T103045.mp4", "of somebody else")
        try folder.write("record/holiday.mp4", "of somebody else")
        let size = (head + fragment).count
        for minute in 10...15 { try put("20260121T10\(minute)00Z.mp4", head + fragment) }
        it.finish(all: true)
        it = try open(RecordingRetention(maxBytes: 4 * size))
        #expect(it.applyLimits(now: systemClock.wall()) == 3)
        #expect(
            try finished == [
                "20260121T101300Z.mp4", "20260121T101400Z.mp4", "20260121T101500Z.mp4", "20260121T103045.mp4",
                "holiday.mp4",
            ])
        #expect(it.applyLimits(now: systemClock.wall()) == 0)
    }

    @Test func retentionByAge() throws {
        var it = try open(RecordingRetention(maxAge: .seconds(3600)))
        for name in ["20260121T100000Z.mp4", "20260121T105900Z.mp4", "20260121T110000Z.mp4"] {
            try put(name, head + fragment)
        }
        it.finish(all: true)
        let now = try #require(Timestamp(iso8601: "2026-01-21T11:59:30Z"))
        #expect(it.applyLimits(now: now) == 2)
        #expect(try finished == ["20260121T110000Z.mp4"])
    }

    @Test func retentionByFreeSpace() throws {
        var it = try open(RecordingRetention(minFree: 1 << 60))
        try put("20260121T100000Z.mp4", head + fragment)
        it.finish(all: true)
        #expect(it.applyLimits(now: systemClock.wall()) == 1)
        it = try open(RecordingRetention(minFree: 1))
        try put("20260121T100000Z.mp4", head + fragment)
        it.finish(all: true)
        #expect(it.applyLimits(now: systemClock.wall()) == 0)
    }
}
