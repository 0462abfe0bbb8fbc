import SnapshotBase
import Testing

@testable import SnapshotSettings

@Suite struct SettingsTextTests {
    @Test(arguments: [
        "plain", "with blank", "'", "\"", "both ' and \"", "a#b", "a #b", "$HOME `x` \\", "\\", "\\\\'\\", "ü ✓", "=",
        "",
        " leading", "x'\"\\$`#", "100%", "{camera}/{yyyy}",
    ])
    func whatIsSetIsRead(_ value: String) throws {
        var text = SettingsText(Array("A=1\n".utf8))
        text.set("KEY", to: value)
        let entries = try Dotenv.parse(text.bytes, path: "")
        #expect(entries.last?.value == (value.isEmpty ? "1" : value))
    }

    private func changed(_ before: String, _ key: String, _ value: String) -> String {
        var text = SettingsText(Array(before.utf8))
        text.set(key, to: value)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    @Test func linesKeepTheirPlaces() {
        #expect(changed("# a\nKEY=1 # why\nB=2\n", "KEY", "3") == "# a\nKEY=3 # why\nB=2\n")
        #expect(changed("# a\n  export KEY='1'\r\nB=2", "KEY", "3") == "# a\nKEY=3\nB=2\n")
        #expect(changed("A=1\n", "KEY", "3") == "A=1\nKEY=3\n")
        #expect(changed("", "KEY", "3") == "KEY=3\n")
    }

    @Test(arguments: [
        ("KEY=1 # why", "3", "KEY=3 # why"), ("KEY='a # b'\t# why", "3", "KEY=3 # why"),
        ("KEY=1 # why\r", "3", "KEY=3 # why"), ("KEY=\"a\\\" # b\" #why", "c d", "KEY='c d' #why"),
        ("KEY=a#b", "3", "KEY=3"), ("KEY= # why", "3", "KEY=3 # why"), ("KEY=1 # why", "", "KEY= # why"),
        ("#KEY=1 # why", "3", "KEY=3 # why"), ("KEY=1 # one\nA=1\nKEY=2 # two", "3", "# one\nA=1\nKEY=3 # two"),
        ("KEY=1 # é = 'ü", "#", "KEY='#' # é = 'ü"),
    ])
    func aCommentBehindTheValueStays(_ before: String, _ value: String, _ after: String) throws {
        let text = changed(before + "\nB=2\n", "KEY", value)
        #expect(text == after + "\nB=2\n")
        let entries = try Dotenv.parse(Array(text.utf8), path: "")
        #expect(entries.last { $0.key == "KEY" }?.value == value)
    }

    @Test func anExampleBecomesTheSetting() {
        #expect(changed("#KEY=\n#KEY_FILE=x\n", "KEY", "3") == "KEY=3\n#KEY_FILE=x\n")
        #expect(changed("#KEYS=\n", "KEY", "3") == "#KEYS=\nKEY=3\n")
    }

    @Test func anOldSecretGoesWithAllItsLines() {
        #expect(changed("KEY=old\nA=1\nKEY=older\n", "KEY", "") == "A=1\nKEY=\n")
        #expect(changed("A=1\n", "KEY", "") == "A=1\n")
    }
}
