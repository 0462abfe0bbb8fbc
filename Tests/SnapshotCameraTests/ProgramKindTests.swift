import SnapshotBase
import SnapshotProcesses
import SnapshotSettings
import Testing

@testable import SnapshotCamera

@Suite struct ProgramKindTests {
    @Test(
        arguments: [
            ("/a", ["/a"]), ("/a b  c ", ["/a", "b", "c"]), (" /a", ["/a"]),
            ("/a 'b c' d", ["/a", "b c", "d"]), ("'/a b'/c", ["/a b/c"]), ("/a ''  \"\"", ["/a", "", ""]),
            (#"/a b\ c \'d \\"#, ["/a", "b c", "'d", #"\"#]), (#"/a "b\"c\\d\n$e""#, ["/a", #"b"c\d\n$e"#]),
            (#"/a 'b\'"#, ["/a", #"b\"#]), (#"/a "it's" 'a"b'"#, ["/a", "it's", #"a"b"#]),
            ("/a x'y z'\"!\"q", ["/a", "xy z!q"]),
            ("/a $HOME ~ * | > ; &", ["/a", "$HOME", "~", "*", "|", ">", ";", "&"]),
            ("/a é 'ü ö'", ["/a", "é", "ü ö"]), ("", []), ("   ", []),
        ] as [(String, [String])])
    func words(_ text: String, _ words: [String]) { #expect(programWords(text) == words) }

    @Test(arguments: ["/a 'b", "/a \"b", #"/a b\"#, #"/a "b\""#, "'", #"/a 'b' ""#, #"\"#])
    func aHalfWithoutItsOther(_ text: String) { #expect(programWords(text) == nil) }

    @Test(arguments: [
        ("say\n", "say"), ("one\ntwo\n\n  \n", "two"), ("progress 1%\rprogress 2%\r", "progress 2%"),
        ("\u{1B}[31mred\u{7}", #"\u{1b}[31mred\u{7}"#),
    ])
    func lastWords(_ said: String, _ shown: String) {
        let words = ChildResult(output: [], stderrTail: Array(said.utf8)).lastWords(hiding: Secrets()) ?? ""
        #expect(!words.unicodeScalars.contains { $0.value < 0x20 })
        #expect(words == shown)
    }

    @Test func nothingSaid() {
        #expect(
            ChildResult(output: [], stderrTail: []).lastWords() == nil
                && ChildResult(output: [], stderrTail: Array(" \n\r\n".utf8)).lastWords() == nil)
    }

    /// A secret that the beginning of the excerpt would cut is hidden whole.
    @Test func longLinesShowTheirEndWithoutTheSecretInIt() throws {
        let secret = "CanarySecret0123456789"
        let settings = try Settings(
            commandLine: ["CAMERA_URL": "exec:/bin/true --token=\(secret)"], environment: [:], path: "/dev/null")
        let camera = try CameraSettings(settings)
        #expect(!camera.address.contains("Canary") && !camera.identity.contains("Canary"))
        for tail in 270...310 {
            let said = String(repeating: "x", count: 5000) + secret + String(repeating: "y", count: tail)
            let words = try #require(ChildResult(output: [], stderrTail: Array(said.utf8)).lastWords())
            #expect(words.count <= 301 && !words.contains("Canary") && !words.contains("0123456789"))
        }
    }
}
