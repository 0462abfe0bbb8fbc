import SnapshotBase
import SnapshotKeys
import SnapshotSettings
import SnapshotState
import Testing

@testable import SnapshotCapture
@testable import SnapshotStore

/// Spooled pictures that a later version wrote.
@Suite struct SpoolTomorrowTests {
    private func line(_ facts: String) -> [UInt8] {
        let facts = Array(facts.dropLast().utf8)
        return facts + Array(",\"crc\":\"\(crc32(facts[...]).hexadecimal)\"}\n".utf8)
    }

    private func facts(_ more: String, clock: String = "synced") -> String {
        "{\"key\":\"a.jpg\",\"captured_at_ms\":1800000000000,\"camera\":\"c\",\"sha256\":\"00\",\"clock\":\"\(clock)\","
            + "\"content_type\":\"image/jpeg\",\"length\":5,\"boot\":\"b\",\"up\":1.5\(more)}"
    }

    @Test(arguments: [
        ("", "synced"), (",\"store\":{\"kind\":\"sftp\",\"host\":\"h\"}", "synced"), (",\"note\":null", "unsynced"),
        ("", "gps"), (",\"trigger\":\"motion\"", "gps\\u000a"),
    ])
    func areRead(more: String, clock: String) throws {
        let entry = try #require(SpoolEntry(line: line(facts(more, clock: clock))))
        #expect(entry.key == "a.jpg" && entry.length == 5)
        #expect(entry.clock.rawValue == (clock.hasPrefix("gps\\") ? "gps\n" : clock))
        // It goes to the store under its own key and time: nothing is known that would correct them.
        let now = Now(wall: Timestamp(milliseconds: 1_800_000_900_000), up: 2, boot: "c")
        let template = try KeyTemplate(Settings(environment: [:], path: "/dev/null"))
        let object = entry.object(.bytes([1, 2, 3, 4, 5]), template: template, now: now, clock: ClockFigures())
        #expect(object.key == "a.jpg" && object.capturedAt.milliseconds == 1_800_000_000_000)
        #expect(object.metadata.allSatisfy { $0.value.utf8.allSatisfy { (0x20...0x7E).contains($0) } })
    }
}
