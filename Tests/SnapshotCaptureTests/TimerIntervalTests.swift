import SnapshotBase
import SnapshotCapture
import SnapshotSettings
import Testing

@Suite struct TimerIntervalTests {
    @Test(arguments: [
        ("*:*:0/10 UTC", 10), ("*-*-* *:*:00/10 UTC", 10), ("*-*-* *:*:00", 60), ("*:0/5:0", 300), ("*:0/5", 300),
        ("0/6:0:0 UTC", 21600), ("*:*:*", 1), ("*-*-* 00:00:00 UTC", 86400), ("hourly", 3600), ("*:*:5/30", 30),
    ])
    func calendarsHaveAnInterval(expression: String, seconds: Int) {
        #expect(calendarInterval(expression) == .seconds(seconds))
    }

    @Test(arguments: [
        "Mon *-*-* 10:00:00", "*-*-01 10:00:00", "*:*:0/7", "*:*:0,20", "*:*:1..5", "10:*:0", "*:5:0/10", "0/2:*:0", "",
        "1:2:3:4", "*:*:30/10", "weekly", "::", "*:*:0/0", "*:*:61",
    ])
    func othersHaveNone(expression: String) { #expect(calendarInterval(expression) == nil) }

    /// What `schedule` writes is what `check` reads.
    @Test(arguments: [1, 5, 10, 30, 60, 120, 3600, 86400])
    func schedulesAreUnderstood(seconds: Int) throws {
        let calendar = try #require(TimerSchedule(every: .seconds(seconds)).calendar)
        #expect(calendarInterval(calendar) == .seconds(seconds))
    }

    @Test(arguments: [
        ("15s", 15_000), ("1min 30s", 90_000), ("7s", 7000), ("500ms", 500), ("1d 2h", 93_600_000), ("1.5s", 1500),
    ])
    func spansAreRead(text: String, milliseconds: Int) { #expect(systemdDuration(text) == .milliseconds(milliseconds)) }

    @Test(arguments: ["", "s", "5", "5 s", "infinity", "5parsecs"])
    func noSpans(text: String) { #expect(systemdDuration(text) == nil) }

    @Test func theCalendarComesFirst() {
        let calendar = "{ OnCalendar=*-*-* *:*:00/10 UTC ; next_elapse=Wed 2026-01-21 10:30:50 UTC }"
        let monotonic = "{ OnUnitActiveUSec=15s ; next_elapse=3min 2s }"
        #expect(timerInterval(calendar: calendar, monotonic: monotonic) == .seconds(10))
        #expect(timerInterval(calendar: "", monotonic: monotonic) == .seconds(15))
        #expect(timerInterval(calendar: calendar + " " + calendar, monotonic: monotonic) == nil)
        #expect(
            timerInterval(calendar: "", monotonic: "{ OnActiveUSec=0 ; next_elapse=0 } " + monotonic) == .seconds(15))
        #expect(timerInterval(calendar: "", monotonic: "") == nil)
    }

    @Test(arguments: [
        ("/etc/snapshot/front.env", "front"), ("/etc/snapshot/snapshot.env", nil), ("/etc/snapshot/.env", nil),
        (".env", nil), ("/etc/snapshot/a/b.env", nil), ("/etc/snapshot/front", nil), (nil, nil),
    ])
    func settingsFilesNameTheirCamera(path: String?, name: String?) {
        #expect(InstanceName.of(settingsPath: path) == name)
    }

    @Test(arguments: ["9999999999999999999y", "99999999999999999d", "nan s", "1e99s", "١s", "-5s", ""])
    func aTextOfSystemdThatIsNoDurationIsNone(text: String) { #expect(systemdDuration(text) == nil) }
}
