import SnapshotBase
import SnapshotCapture
import SnapshotHTTP
import SnapshotSettings
import Testing

@Suite struct TimerScheduleTests {
    private func schedule(_ text: String) throws -> TimerSchedule {
        TimerSchedule(every: try #require(Duration(setting: text)))
    }

    @Test(arguments: [
        ("1s", "*:*:0/1 UTC"), ("2s", "*:*:0/2 UTC"), ("10s", "*:*:0/10 UTC"), ("30s", "*:*:0/30 UTC"),
        ("60s", "*:*:0 UTC"), ("2m", "*:0/2:0 UTC"), ("5m", "*:0/5:0 UTC"), ("1h", "*:0:0 UTC"),
        ("6h", "0/6:0:0 UTC"), ("1d", "0:0:0 UTC"),
    ])
    func calendarHasItsInterval(interval: String, expression: String) throws {
        #expect(try schedule(interval).calendar == expression)
    }

    @Test(arguments: ["7s", "45s", "90s", "7m", "90m", "5h", "2d", "500ms", "1500ms", "0"])
    func noCalendarHasThisInterval(interval: String) throws {
        #expect(try schedule(interval).calendar == nil)
    }

    @Test func dropInRestatesBothLines() throws {
        let lines = try schedule("5s").timerDropIn(spread: false).split(separator: "\n").map(String.init)
        #expect(
            lines.suffix(5) == [
                "[Timer]", "OnCalendar=", "OnCalendar=*:*:0/5 UTC", "OnUnitActiveSec=7500ms",
                "AccuracySec=10ms",
            ])
    }

    @Test func dropInWithoutCalendarIsMonotonic() throws {
        let lines = try schedule("7s").timerDropIn(spread: true).split(separator: "\n").map(String.init)
        #expect(
            lines.suffix(6) == [
                "[Timer]", "OnCalendar=", "OnActiveSec=0", "OnUnitActiveSec=7s", "AccuracySec=10ms",
                "RandomizedDelaySec=0s",
            ])
    }

    @Test func spreadIsAtMostAMinute() throws {
        #expect(try schedule("1h").timerDropIn(spread: true).contains("RandomizedDelaySec=1m\n"))
        #expect(try !schedule("1h").timerDropIn(spread: false).contains("RandomizedDelaySec"))
    }

    @Test(arguments: [(15, 8, 60, "995s"), (60, 240, 60, "1272s"), (15, 8, 300, "1235s")])
    func aRunThatKeepsItsDeadlinesIsNotEnded(camera: Int, upload: Int, answer: Int, limit: String) {
        var timeouts = UploadTimeouts()
        timeouts.response = .seconds(answer)
        let dropIn = TimerSchedule.serviceDropIn(
            cameraTimeout: .seconds(camera), uploadDeadline: .seconds(upload), timeouts: timeouts)
        #expect(dropIn.hasSuffix("[Service]\nTimeoutStartSec=\(limit)\n"))
    }

    @Test(arguments: ["snapshot", "snapshot@"])
    func thePackagedServiceLeavesTheDefaultsTheirTime(unit: String) throws {
        let root = parentDirectory(parentDirectory(parentDirectory(#filePath)))
        let text = String(decoding: try readFile("\(root)/systemd/\(unit).service", limit: 1 << 20), as: UTF8.self)
        let limit = try #require(self.limit(in: text))
        let defaults = TimerSchedule.serviceDropIn(
            cameraTimeout: .seconds(15), uploadDeadline: .seconds(8), timeouts: UploadTimeouts())
        let needed = try #require(self.limit(in: defaults))
        #expect(needed > .seconds(900) && limit >= needed)
    }

    private func limit(in unit: String) -> Duration? {
        let key = "TimeoutStartSec="
        let line = unit.split(separator: "\n").first { $0.hasPrefix(key) }
        return line.flatMap { Duration(setting: String($0.dropFirst(key.count)).replacing("min", with: "m")) }
    }
}
