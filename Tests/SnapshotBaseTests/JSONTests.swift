import Testing

@testable import SnapshotBase

@Suite struct JSONTests {
    @Test(arguments: [
        ("null", JSON.null), (" true ", .bool(true)), ("false", .bool(false)), ("0", .integer(0)), ("-7", .integer(-7)),
        ("9223372036854775807", .integer(.max)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("1.5", .number(1.5)), ("-1e3", .number(-1000)), ("2E-2", .number(0.02)), ("\"\"", .string("")),
        ("\"a\\n\\\"\\\\\\/\\u00e9\\ud83d\\ude00\"", .string("a\n\"\\/é😀")), ("\"\\ud83d!\"", .string("\u{FFFD}!")),
        ("\"ü\"", .string("ü")), ("[]", .array([])),
        ("[1, [2] ,\"x\"]", .array([.integer(1), .array([.integer(2)]), .string("x")])),
        ("{}", .object([:])),
        ("{\"a\" : 1,\n\"b\":{\"c\":null}}", .object(["a": 1, "b": ["c": JSON.null] as JSONObject])),
    ])
    func whatIsJSONIsRead(text: String, value: JSON) {
        #expect(JSON(Array(text.utf8)) == value)
    }

    @Test(arguments: [
        "", " ", "nul", "tru", "True", "01", "-", "+1", ".5", "1.", "1e", "0x10", "NaN", "1e999", "\"", "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"", "\"\u{1}\"", "'a'", "[", "[1", "[1,", "[1,]", "[,]", "{", "{\"a\"", "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}", "{a:1}", "{1:1}", "1 2", "{}}", "[1] x",
    ])
    func whatIsNoneIsNot(text: String) {
        #expect(JSON(Array(text.utf8)) == nil)
    }

    @Test func aDeepOneDoesNotExhaustTheStack() {
        #expect(JSON(Array(repeating: UInt8(ascii: "["), count: 1 << 20)) == nil)
        #expect(JSON(Array((String(repeating: "[", count: 32) + String(repeating: "]", count: 32)).utf8)) != nil)
    }

    @Test func bytesThatAreNoTextBecomeReplacements() {
        #expect(JSON([0x22, 0xFF, 0x22])?.string == "\u{FFFD}")
    }

    @Test(arguments: [
        (JSON.null, "null"), (.bool(false), "false"), (.integer(-3), "-3"), (.number(10), "10"),
        (.number(0.25), "0.25"),
        (.number(.infinity), "null"), (.string("a\"\\/\n\u{1F}é"), "\"a\\\"\\\\/\\u000a\\u001fé\""),
        (.array([.integer(1), .null]), "[1,null]"),
        (.object(["z": 1, "a": "b", "left out": Optional<String>.none]), "{\"z\":1,\"a\":\"b\"}"),
    ])
    func isWritten(value: JSON, text: String) {
        #expect(value.text == text)
    }

    @Test(arguments: [0.1, 1e-7, 123_456_789.123, -0.5, .leastNonzeroMagnitude])
    func numbersComeBackAsTheyWere(number: Double) {
        #expect(JSON(JSON.number(number).bytes)?.double == number)
    }

    @Test(arguments: ["9007199254740994", "-9007199254740994", "1e17", "9223372036854775807"])
    func numbersTooLargeToAddUpAreNone(text: String) {
        let json = JSON(Array(text.utf8))
        #expect(json != nil && json?.integer == nil && json?.double == nil)
    }

    struct Pair: JSONMapped, Equatable {
        var left = 0
        var right: String?
        mutating func map(_ fields: inout JSONFields) {
            fields.field("left", &left)
            fields.field("right", &right)
        }
    }

    @Test(arguments: [Pair(left: 1, right: "x"), Pair(left: 2, right: nil)])
    func fieldsComeBackAsTheyWere(pair: Pair) {
        #expect(JSON(pair.json.bytes).flatMap(Pair.init(json:)) == pair)
    }

    @Test(arguments: ["{}", "{\"left\":null}", "{\"left\":\"1\"}", "{\"left\":1.5}", "{\"left\":1,\"right\":2}", "[]"])
    func aFieldThatIsMissingOrOfAnotherTypeIsAnError(text: String) {
        #expect(JSON(Array(text.utf8)).flatMap(Pair.init(json:)) == nil)
    }

    @Test func namedValues() {
        var values: NamedValues<Int> = ["a": 1, "b": 2]
        values["a"] = 3
        values["b"] = nil
        values["c"] = nil
        #expect(values == ["a": 3] && values["b"] == nil)
        #expect(JSON(values.json.bytes).flatMap(NamedValues<Int>.init(json:)) == values)
    }
}
