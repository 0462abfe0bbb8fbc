import SnapshotBase
import SnapshotSettings
import Testing

@testable import SnapshotKeys

@Suite struct KeyTemplateTests {
    /// 2026-01-21, 22:30:45.123 UTC
    private let time = Timestamp(milliseconds: 1_769_034_645_123)

    private func template(_ text: String?, _ environment: Environment = [:]) throws -> KeyTemplate {
        var values: NamedValues<String> = ["CAMERA_NAME": "front"]
        values["KEY_TEMPLATE"] = text
        return try KeyTemplate(Settings(commandLine: values, environment: environment, path: "/dev/null"))
    }

    @Test(
        arguments: [
            (nil, "front/2026/01/21/front_20260121T223045.123Z.jpg"),
            ("{camera}/{yyyy}-{MM}-{dd}/{HH}.{mm}.{ss}.jpg", "front/2026-01-21/22.30.45.jpg"),
            ("{timestamp}", "20260121T223045.123Z"), ("a}b", "a}b"), ("{HH}{HH}", "2222"),
            ("pic %41+é/{ss}", "pic %41+é/45"),
            ("..a/b../.c", "..a/b../.c"),
        ] as [(String?, String)])
    func aKeyIsMadeOfItsFields(_ text: String?, key: String) throws {
        #expect(try template(text).key(camera: "front", at: time) == key)
    }

    /// A name isn't a template.
    @Test(arguments: ["a{HH}b", "{", "}", "{camera}", "{{camera}}"])
    func aCamerasNameStaysAsItIs(_ name: String) throws {
        #expect(try template("x/{camera}/{ss}").key(camera: name, at: time) == "x/\(name)/45")
    }

    @Test(arguments: [
        (Int64(0), "19700101T000000.000Z"), (-1, "19691231T235959.999Z"), (253_402_300_799_999, "99991231T235959.999Z"),
    ])
    func anyTimeIsWritten(_ milliseconds: Int64, text: String) throws {
        #expect(try template("{timestamp}").key(camera: "c", at: Timestamp(milliseconds: milliseconds)) == text)
    }

    @Test(arguments: [
        "{nope}", "{Camera}", "{}", "{camera", "{camera}/{", "{ camera }", "{camera{HH}}", "/a", "a/", "a//b", "/",
        "..",
        ".", "../a", "a/..", "a/../b", "./a", "a/./b", "a\\b", "a\nb", "$HOME/a", "${camera}",
    ])
    func whatLeadsElsewhereIsRefused(_ text: String) {
        let failure = #expect(throws: Failure.self) { try template(text) }
        #expect(failure?.exitCode == 78)
        #expect(failure.map { "\($0)" }?.contains("KEY_TEMPLATE") == true)
    }

    @Test func aKeyHasAtMost512Bytes() throws {
        let name = String(repeating: "a", count: 512)
        #expect(try template(name).key(camera: "c", at: time) == name)
        #expect(throws: Failure.self) { try template(name + "a") }
        #expect(throws: Failure.self) { try template(String(repeating: "é", count: 256) + "a") }
        // The limit is that of the key, not that of the template.
        #expect(throws: Failure.self) { try template(String(repeating: "a", count: 494) + "{timestamp}") }
    }

    @Test(arguments: ["Mars/Base", "Europe/Nowhere", "NoSuchZone"])
    func localTimeNeedsAZoneThatIsKnown(_ zone: String) throws {
        let failure = #expect(throws: Failure.self) { try template("{local_HH}{offset}", ["TZ": zone]) }
        #expect(failure.map { "\($0)" }?.contains(zone) == true)
        // A template without local fields needs no zone.
        #expect(try template("{HH}", ["TZ": zone]).remark == nil)
    }

    @Test(arguments: ["", "UTC", "CET-1CEST", "<+0545>-5:45", ":UTC", "EST5EDT,M3.2.0,M11.1.0"])
    func rulesAreZones(_ zone: String) throws {
        #expect(throws: Never.self) { try template("{local_HH}{offset}", ["TZ": zone]) }
    }
}
