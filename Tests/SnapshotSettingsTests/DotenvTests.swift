import SnapshotBase
import Testing

@testable import SnapshotSettings

private func values(_ text: String) throws -> [String: String] {
    let entries = try Dotenv.parse(Array(text.utf8), path: "f")
    return Dictionary(entries.map { ($0.key, $0.value) }) { $1 }
}

private func refusal(_ text: String) -> Failure? {
    do throws(Failure) { _ = try Dotenv.parse(Array(text.utf8), path: "f") } catch { return error }
    return nil
}

@Suite struct DotenvTests {
    @Test func theDialect() throws {
        #expect(try values("A=10  # seconds between snapshots\r\n") == ["A": "10"])
        #expect(try values("\u{FEFF}export A='x # y' # z") == ["A": "x # y"])
        #expect(try values(#"A="a\"b\\c\$d\n""#) == ["A": #"a"b\c$d\n"#])
        #expect(
            try values("A = b c \nB=a#b\nC=#x\nD=\nE= # x") == ["A": "b c", "B": "a#b", "C": "#x", "D": "", "E": ""])
        #expect(try values("# c\n\n  \t\nexport\tA=1\nA=2") == ["A": "2"])
    }

    @Test func mistakesNameTheirLine() {
        for text in ["A", "=1", "1A=2", "A B=1", "A='x", "A=\"x", "A='x'y", "A='x'#y"] {
            #expect(refusal("OK=1\n" + text)?.which == "f:2", "\(text)")
        }
        #expect(refusal("A=\u{1}")?.which == "f:1")
    }

    @Test func durationsAndSizes() {
        let durations = ["10": 10_000, "10s": 10_000, "500ms": 500, "5m": 300_000, "1h": 3_600_000, "2d": 172_800_000]
        for (text, milliseconds) in durations { #expect(Duration(setting: text)?.milliseconds == milliseconds) }
        for text in ["", "s", "-1", "1.5s", "10 s", "10x", "1e3", "99999999999999999999"] {
            #expect(Duration(setting: text) == nil)
        }
        #expect(
            ["5", "1K", "256M", "1G", "2T", "1MB", "1MiB"].map(byteCount) == [
                5, 1024, 268_435_456, 1_073_741_824, 2_199_023_255_552, 1_048_576, 1_048_576,
            ])
        for text in ["", "M", "-1", "1.5G", "1 G", "9999999T"] { #expect(byteCount(text) == nil) }
    }

    @Test func urlsAreShownWithoutTheirSecrets() {
        #expect(redactedURL("http://u:p@h/x?token=1") == "http://***@h/x?***")
        #expect(redactedURL("htp:/u:p@h") == "***@h")
        #expect(redactedURL("http://h/x") == "http://h/x")
    }

    @Test func timestampsReadWhatTheyWrite() {
        for milliseconds: Int64 in [0, 999, 1_795_376_971_671, -1, 4_102_444_799_999] {
            let time = Timestamp(milliseconds: milliseconds)
            #expect(
                Timestamp(iso8601: time.iso8601)?.milliseconds == milliseconds - (milliseconds % 1000 + 1000) % 1000)
        }
        #expect(Timestamp(milliseconds: 1_769_012_345_123).compact == "20260121T161905.123Z")
        for text in ["", "2026-01-21", "2026-13-21T10:30:45Z", "2026-01-21T10:30:45", "2026-01-21 10:30:45Z"] {
            #expect(Timestamp(iso8601: text) == nil)
        }
    }
}
