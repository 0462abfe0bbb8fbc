import SnapshotBase
import Testing

@testable import SnapshotState

private func now(_ wall: String, up: Double = 1000, boot: String = "b") -> Now {
    Now(wall: Timestamp(iso8601: wall) ?? Timestamp(milliseconds: 0), up: up, boot: boot)
}

@Suite struct CaptureClockTests {
    @Test func whatTheClockWasComparedWithIsSaid() {
        var figures = ClockFigures()
        #expect(figures.offsetInWords == "nothing to compare it with")
        figures.wallAtBoot = 1_700_000_000
        #expect(figures.offsetInWords == "agrees with the store")
        figures.offsetSeconds = -120
        #expect(figures.offsetInWords == "2 min ahead of the store's")
    }

    @Test func aClockThatIsKeptIsBelieved() {
        var figures = ClockFigures()
        figures.latestMilliseconds = Int64.max / 2
        let (time, quality) = CaptureClock.time(at: now("2026-11-22T10:00:00Z"), figures, timeService: .synced)
        #expect(time.iso8601 == "2026-11-22T10:00:00Z" && quality == .trusted)
    }

    @Test func noKeyComesTwiceUnderAWrongClock() {
        var figures = ClockFigures()
        figures.latestMilliseconds = now("2026-11-22T10:00:00Z").wall.milliseconds
        for wall in ["1970-01-01T00:00:10Z", "2026-11-22T09:00:00Z", "2025-01-01T00:00:00Z"] {
            let (time, quality) = CaptureClock.time(at: now(wall), figures, timeService: .none)
            #expect(time.milliseconds > figures.latestMilliseconds && quality == .untrusted)
            figures.latestMilliseconds = time.milliseconds
        }
        let waiting = CaptureClock.time(at: now("2026-11-22T10:01:00Z"), figures, timeService: .notYet)
        #expect(waiting.1 == .untrusted, "the time service hasn't set it yet")
    }

    @Test func whatTheStoreTellsCorrects() {
        var figures = ClockFigures()
        CaptureClock.learn(3_600_000, at: now("2026-11-22T10:00:00Z"), &figures)
        let later = now("2026-11-22T10:00:30Z", up: 1030)
        #expect(CaptureClock.offset(at: later, figures, timeService: .none) == 3_600_000)
        let (time, quality) = CaptureClock.time(at: later, figures, timeService: .none)
        #expect(time.iso8601 == "2026-11-22T11:00:30Z" && quality == .corrected)
    }

    @Test func anOffsetEndsWhenTheClockIsSet() {
        var figures = ClockFigures()
        CaptureClock.learn(3_600_000, at: now("2026-11-22T10:00:00Z"), &figures)
        // Thirty seconds later by the boot clock, an hour and thirty seconds by the wall clock.
        let set = now("2026-11-22T11:00:30Z", up: 1030)
        #expect(CaptureClock.offset(at: set, figures, timeService: .none) == 0)
        let (time, quality) = CaptureClock.time(at: set, figures, timeService: .none)
        #expect(time.iso8601 == "2026-11-22T11:00:30Z" && quality == .trusted)
    }

    @Test func smallDifferencesAreNone() {
        var figures = ClockFigures()
        CaptureClock.learn(1500, at: now("2026-11-22T10:00:00Z"), &figures)
        #expect(figures.offsetSeconds == 0)
        #expect(CaptureClock.offset(at: now("2026-11-22T10:00:30Z", up: 1030), figures, timeService: .none) == 0)
    }

    @Test func afterAClockInTheFutureTheStoreEndsIt() {
        var figures = ClockFigures()
        figures.latestMilliseconds = now("2030-09-23T12:00:00Z").wall.milliseconds
        let back = now("2026-11-22T10:00:00Z")
        #expect(CaptureClock.time(at: back, figures, timeService: .none).1 == .untrusted)
        CaptureClock.learn(-400, at: back, &figures)
        let (time, quality) = CaptureClock.time(at: now("2026-11-22T10:00:30Z", up: 1030), figures, timeService: .none)
        #expect(time.iso8601 == "2026-11-22T10:00:30Z" && quality == .trusted)
        // In another boot no store has confirmed the clock yet.
        figures.wallAtBoot = nil
        #expect(CaptureClock.time(at: back, figures, timeService: .none).1 == .untrusted)
    }

    @Test func aClockThatIsSetWrongAfterTheStoreAgreedIsCorrected() {
        var figures = ClockFigures()
        CaptureClock.learn(0, at: now("2026-11-22T10:00:00Z"), &figures)
        let (time, quality) = CaptureClock.time(at: now("2030-11-22T10:00:30Z", up: 1030), figures, timeService: .none)
        #expect(time.iso8601 == "2026-11-22T10:00:30Z" && quality == .corrected)
    }

    @Test func aStoreMovesASyncedClockByADayAtMost() {
        let (day, wall): (Int64, Timestamp) = (86_400_000, now("2026-11-22T10:00:00Z").wall)
        for isVerified in [false, true] {
            for offset in [0, day, -day] {
                #expect(CaptureClock.isCredible(offset, at: wall, timeService: .synced, isVerified: isVerified))
            }
            for offset in [day + 1, -day - 1, 3650 * day, Int64.max, Int64.min] {
                #expect(!CaptureClock.isCredible(offset, at: wall, timeService: .synced, isVerified: isVerified))
            }
        }
    }

    @Test func aClockThatNobodyKeepsIsPutRight() {
        let day: Int64 = 86_400_000
        for timeService in [CaptureClock.TimeService.none, .notYet] {
            func isCredible(_ days: Int64, at wall: String, _ isVerified: Bool) -> Bool {
                CaptureClock.isCredible(
                    days * day, at: now(wall).wall, timeService: timeService, isVerified: isVerified)
            }
            #expect(isCredible(20_780, at: "1970-01-01T00:00:10Z", false), "no clock in the board")
            #expect(isCredible(31, at: "2026-10-22T10:00:00Z", false), "kept over a power cut")
            #expect(isCredible(-400, at: "2027-12-27T10:00:00Z", false))
            #expect(!isCredible(3650, at: "2026-11-22T10:00:00Z", false), "anybody may have said so")
            #expect(isCredible(3650, at: "2026-11-22T10:00:00Z", true))
        }
    }

    @Test func whatWasLearnedForAClockThatWasNeverSetIsNotUsedOnceItIs() {
        var figures = ClockFigures()
        CaptureClock.learn(20_780 * 86_400_000, at: now("1970-01-01T00:00:10Z", boot: "a"), &figures)
        figures.wallAtBoot = nil
        for timeService in [CaptureClock.TimeService.none, .synced] {
            #expect(CaptureClock.offset(at: now("2026-11-22T10:00:00Z"), figures, timeService: timeService) == 0)
        }
        #expect(CaptureClock.offset(at: now("1970-01-01T00:00:10Z"), figures, timeService: .none) > 0)
        (figures.offsetSeconds, figures.wallAtBoot) = (Int.max / 2000, -1e300)
        #expect(CaptureClock.offset(at: now("2026-11-22T10:00:00Z"), figures, timeService: .none) == 0)
    }
}
