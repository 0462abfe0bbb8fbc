import SnapshotBase
import Testing

@testable import SnapshotSettings

private func settings(_ values: NamedValues<String>, environment: NamedValues<String> = [:]) throws -> Settings {
    try Settings(commandLine: values, environment: environment, path: "/dev/null")
}

@Suite struct SettingsTests {
    @Test(arguments: [
        ("CAPTURE_INTERVAL", ["1s", "1", "1000ms", "7d", "168h"], ["999ms", "0", "604801s", "8d", "1.5s", "-1"]),
        ("UPLOAD_DEADLINE", ["100ms", "1d"], ["99ms", "86401s"]),
        ("CAMERA_CHANNEL", ["0", "255"], ["256", "-1", "0x1", "1K"]),
        ("CAMERA_WIDTH", ["16", "16384"], ["15", "16385"]),
        ("SPOOL_MAX_BYTES", ["0", "500K", "1GiB", "1048575T"], ["1048576T", "1Q", "1.5G", "M"]),
        ("WEB_IMAGES", ["true", "FALSE", "yes", "0"], ["2", "on", "maybe"]),
        ("CAMERA_STREAM", ["main", "SUB"], ["middle", "main "]),
        ("PING_URL", ["https://a/b", "HTTP://a"], ["ftp://a", "https://", "https:///a", "https://a b", "a"]),
        ("OUTPUT_RTSP_URL", ["rtsp://a"], ["http://a"]),
        (
            "STATE_PATH", ["/a", "a b", "./~", "./a:/b", "a:", "smb:a/b"],
            ["~", "~/a", "pi@nas:/a", "nas:/", "//nas/a", "C:\\a"]
        ),
    ])
    func kindsEndWhereTheySay(_ key: String, good: [String], bad: [String]) throws {
        let kind = try #require(Key.declaration(of: key)).kind
        for text in good { #expect(kind.flaw(in: text) == nil, "\(text)") }
        for text in bad { #expect(kind.flaw(in: text) != nil, "\(text)") }
    }

    @Test(arguments: ["\u{A0}", "\u{AD}", "\u{200B}", "\u{2009}", "\u{2060}", "\u{3000}", "\u{FEFF}"])
    func anInvisibleCharacterAtAnEndIsRefused(_ sign: String) throws {
        for text in [sign + "door", "door" + sign, sign] {
            let failure = #expect(throws: Failure.self) { try settings(["CAMERA_NAME": text])[Key.cameraName] }
            #expect("\(try #require(failure))".contains("invisible character (U+"))
        }
        #expect(try settings(["CAMERA_NAME": "front\(sign)door"])[Key.cameraName] == "front\(sign)door")
    }

    @Test func aDefaultKeepsItsOwnRule() {
        for one in Key.all {
            switch one.defaultValue {
            case .none, .words: break
            case .flag, .number, .duration, .text:
                let text = one.defaultText ?? ""
                #expect(one.kind.flaw(in: text) == nil, "\(one.key)=\(text)")
            }
        }
    }

    @Test func namesAreUniqueAndMeaningsAreSentences() {
        #expect(Set(Key.all.map(\.key)).count == Key.all.count)
        for one in Key.all { #expect(one.meaning.hasSuffix(".") && !one.meaning.contains("|"), "\(one.key)") }
    }

    @Test func whatIsSecretEndsAHoldOff() {
        // WEB_TOKEN is no login at a camera or store, so no hold-off follows from it.
        for one in Key.all where one.isSecret && one.key != "WEB_TOKEN" {
            #expect(one.endsHoldOff != nil, "\(one.key)")
        }
    }

    @Test func aTextIsHiddenUnlessItsDeclarationShowsIt() {
        let texts: [TypedSettingKind<String>] = [.text, .form("a name"), .freeForm("a=b"), .lines("a line")]
        for form in texts {
            let forgotten: Setting<String?> = Setting("FORGOTTEN", form, "It may be a secret.")
            #expect(forgotten.declaration.isSecret && forgotten.declaration.shown("a") == nil)
            let open: Setting<String?> = Setting("OPEN", form, secrecy: .open, "It is none.")
            #expect(open.declaration.shown("a") == "a")
        }
        let address: Setting<String?> = Setting("ADDRESS", .webURL, "It may hold a password.")
        #expect(address.declaration.shown("http://user:secret@host/path?secret") == "http://***@host/path?***")
        let number: Setting<Int?> = Setting("NUMBER", .number(0...9), "It is no secret.")
        #expect(number.declaration.shown("7") == "7")
    }

    @Test func defaultsCountWhereNothingIsSet() throws {
        let unset = try settings(["CAPTURE_INTERVAL": ""])
        #expect(try unset[Key.captureInterval] == .seconds(10))
        #expect(try unset[Key.spoolMaxBytes] == 256 << 20)
        #expect(try unset[Key.cameraUsername] == "admin")
        #expect(try unset[Key.uploadDeadline] == nil)
        #expect(try unset[Key.cameraStream] == .main)
        #expect(try unset.valueOrEmpty(Key.s3Prefix) == "snapshots/")
        #expect(try settings(["S3_PREFIX": ""]).valueOrEmpty(Key.s3Prefix) == "")
    }

    @Test func theFirstSourceWins() throws {
        let both = try settings(["CAMERA_NAME": "one"], environment: ["CAMERA_NAME": "two", "CAMERA_CHANNEL": "3"])
        #expect(try both[Key.cameraName] == "one")
        #expect(try both[Key.cameraChannel] == 3)
        #expect(try both.value(Key.cameraName)?.origin == .commandLine)
    }

    @Test func aRefusalNamesKeyValueRuleAndSource() throws {
        let wrong = try settings(["CAPTURE_INTERVAL": "soon", "CAMERA_STREAM": "middle"])
        let first = #expect(throws: Failure.self) { try wrong[Key.captureInterval] }
        #expect("\(try #require(first))".contains("CAPTURE_INTERVAL='soon'"))
        let second = #expect(throws: Failure.self) { try wrong[Key.cameraStream] }
        #expect("\(try #require(second))".contains("must be main or sub (from the command line)"))
    }

    @Test func aReportNeverHoldsASecret() throws {
        let values: NamedValues<String> = [
            "CAMERA_PASSWORD": "canary-1", "WEB_TOKEN": "canary-2", "PING_URL": "https://h/canary-3",
            "CAMERA_URL": "http://u:canary-4@h/x?canary-5", "AWS_ACCESS_KEY_ID": "canary-6",
        ]
        let all = try settings([:], environment: values)
        for one in Key.all {
            let report = SettingReport(one, all)
            #expect(!report.json.text.contains("canary"))
            #expect(!report.text.contains("canary"))
            #expect((report.origin == "the environment") == (values[one.key] != nil))
        }
    }

    @Test func aReportTellsAValueThatIsRefused() throws {
        let report = SettingReport(Key.cameraTimeout.declaration, try settings(["CAMERA_TIMEOUT": "never"]))
        #expect(report.json["error"] != nil && report.value == nil && report.refused == "never")
    }

    @Test(arguments: [("CAMERA_PASWORD", "CAMERA_PASSWORD"), ("capture_intervall", "CAPTURE_INTERVAL")])
    func theNearestNameIsToldOfAnUnknownOne(_ wrong: String, _ right: String) {
        let failure = #expect(throws: Failure.self) { try Key.named(wrong) }
        #expect(failure?.hint == "did you mean \(right)?")
    }
}
