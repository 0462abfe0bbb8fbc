import SnapshotBase
import SnapshotState
import Testing

@testable import SnapshotWeb

@Suite struct HTMLTests {
    @Test func textIsEscapedAndMarkupIsNot() {
        let inner: HTML = "<b>\("<i>")</b>"
        let whole: HTML = "<p title=\"\("\"'&")\">\(inner)\([inner, inner])\(7)\(1.25)</p>"
        #expect(
            whole.markup
                == "<p title=\"&quot;&#39;&amp;\"><b>&lt;i&gt;</b><b>&lt;i&gt;</b><b>&lt;i&gt;</b>71.3</p>")
    }

    @Test func controlCharactersAreReplaced() {
        #expect(HTML.escape("a\u{0}b\u{1B}c\nd") == "a\u{FFFD}b\u{FFFD}c\nd")
    }
}

@Suite struct WordsTests {
    @Test(arguments: [
        (0, "0 ms"), (999.4, "999 ms"), (1000, "1.0 s"), (2440, "2.4 s"), (9960, "10 s"), (-5, "0 ms"),
        (1e30, "1000000000 s"),
    ])
    func latencies(milliseconds: Double, text: String) {
        #expect(latency(milliseconds) == text)
    }

    @Test(arguments: [
        (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "0.9 KB"), (412_345, "402 KB"), (1_048_576, "1.0 MB"),
        (1_440_000_000, "1.3 GB"), (1 << 50, "1024 TB"), (Int.max, "838860 TB"), (-1, "0 bytes"),
    ])
    func sizes(bytes: Int, text: String) {
        #expect(sizeText(bytes) == text)
    }

    @Test(arguments: [
        (0.4, "0 s"), (59.6, "60 s"), (119, "119 s"), (150, "2:30 min"), (3605, "1:00:05 h"), (-1, "0 s"),
        (1e300, "277777:46:40 h"),
    ])
    func lengths(seconds: Double, text: String) {
        #expect(playtime(seconds) == text)
    }

    @Test(arguments: [
        (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"),
        (Int.min, "-9,223,372,036,854,775,808"),
    ])
    func numbers(number: Int, text: String) {
        #expect(grouped(number) == text)
    }
}

@Suite struct ChartTests {
    private let now = Now(wall: Timestamp(milliseconds: 1_768_991_445_000), up: 5000, boot: "b")

    private func record(_ result: Outcome.Result, camera: Int?, store: Int?) -> Record {
        var record = Record(version: "1", camera: "c", now: now, intervalSeconds: 10)
        record.outcome = Outcome(result: result)
        record.outcome.cameraMilliseconds = camera
        record.outcome.storeMilliseconds = store
        return record
    }

    @Test func shotsAreAlignedAtThePresent() {
        let html = LastRuns([
            record(.stored, camera: 300, store: 100), record(.captureFailed, camera: nil, store: nil),
        ])
        .html(level: 2).markup
        #expect(html.contains("1 of 2 stored, usually 400 ms, at most 400 ms"))
        #expect(html.contains(#"<rect class="camera" x="621" y="25" width="8" height="75"/>"#))
        #expect(html.contains(#"<rect class="store" x="621" y="0" width="8" height="25"/>"#))
        #expect(html.contains(#"<path class="failed" d="M631 "#))
        #expect(html.split(separator: "class=\"gap\"").count - 1 == 62)
    }

    @Test func insaneFiguresStayInTheChart() {
        let insane = [Int.min, -1, 0, Int.max]
        let shots = insane.flatMap { camera in insane.map { record(.spooled, camera: camera, store: $0) } }
        let present = Int(now.wall.milliseconds / 3_600_000)
        let hours = ([present, present - 47, present - 48, present + 1] + insane).map { number in
            var hour = Hour(hour: number)
            (hour.captures, hour.failures) = (Int.max, Int.min)
            (hour.uploads, hour.uploadMilliseconds) = (1, Int.max)
            return hour
        }
        for html in [LastRuns(shots).html(level: 2), Hours(hours, now: now.wall).html(level: 2)] {
            #expect(
                !html.markup.contains("nan") && !html.markup.contains("inf") && !html.markup.contains("\"-"))
        }
    }

    @Test func hoursHaveTheirColumns() {
        let present = Int(now.wall.milliseconds / 3_600_000)
        var first = Hour(hour: present - 47)
        (first.captures, first.failures, first.uploads, first.uploadMilliseconds) = (360, 36, 10, 1500)
        let html = Hours([first], now: now.wall).html(level: 3).markup
        #expect(html.contains(#"<rect class="captures" x="1" y="0" width="8" height="100"/>"#))
        #expect(html.contains(#"<rect class="failed" x="3" y="90" width="4" height="10"/>"#))
        #expect(html.contains("01-19 11:00 UTC: 360 captures, 36 runs that stored nothing, upload 150 ms"))
        #expect(html.contains("360 captures, 36 runs that stored nothing</p>"))
    }
}

@Suite struct PictureGateTests {
    @Test(arguments: [
        ("Bearer abc", "abc"), ("bearer a b", "a b"), ("Basic dTphYmM=", "abc"), ("Basic OmE6Yg==", "a:b"),
        ("BASIC dTo=", ""),
    ])
    func credentials(header: String, token: String) {
        #expect(PictureGate.credential(header) == Array(token.utf8))
    }

    @Test(arguments: [nil, "", "abc", "Basic", "Basic !", "Basic dQ==", "Digest abc"])
    func noCredentials(header: String?) {
        #expect(PictureGate.credential(header) == nil)
    }

    @Test(arguments: [
        ("abc", "abc", true), ("abd", "abc", false), ("ab", "abc", false), ("abcabc", "abc", false),
        ("", "abc", false),
        ("", "", true), ("a", "", false),
    ])
    func comparison(given: String, secret: String, isEqual: Bool) {
        #expect(PictureGate.areEqual(Array(given.utf8), Array(secret.utf8)) == isEqual)
    }
}
