import SnapshotBase
import Testing

@testable import SnapshotRelay

@Suite struct StderrTailTests {
    @Test func theLastLinesWithoutSecrets() {
        var it = StderrTail(secrets: Secrets(["s3cr&t!"]))
        for number in 0..<50 { it.read(Array("line \(number) rtsp://u:s3cr%26t%21@h/x s3cr&t!\n".utf8)[...]) }
        #expect(it.last.count == 8)
        #expect(it.last.last == "line 49 rtsp://***@h/x ***")
    }

    @Test func aLineWithoutEndIsBounded() {
        var it = StderrTail(secrets: Secrets(["canary-password"]))
        for _ in 0..<100_000 { it.read(Array("xxxxxxxxx canary-password".utf8)[...]) }
        it.endLine()
        #expect(it.last.count == 1)
        #expect((it.last.first?.utf8.count ?? 0) < 400)
        #expect(it.last.first?.contains("canary") == false)
    }

    @Test(arguments: 900..<1060)
    func aSecretAtTheCutIsNotShown(_ position: Int) {
        var it = StderrTail(secrets: Secrets(["canary-password"]))
        it.read(Array((String(repeating: "y", count: position) + " canary-password\n").utf8)[...])
        #expect(it.last.allSatisfy { !$0.contains("can") })
    }
}
