import SnapshotBase
import Testing

@testable import SnapshotCamera

@Suite struct ReolinkAnswerTests {
    private func answer(_ text: String) -> ReolinkAnswer { ReolinkAnswer(Array(text.utf8)) }

    @Test func aTokenHasALeaseOfAtMostADay() {
        func lease(_ text: String) -> ReolinkAnswer {
            answer(#"[{"cmd":"Login","code":0,"value":{"Token":{"leaseTime":\#(text),"name":"5f3a"}}}]"#)
        }
        #expect(lease("3600") == .token(name: "5f3a", leaseSeconds: 3600))
        #expect(lease("1e15") == .token(name: "5f3a", leaseSeconds: 86400))
        #expect(lease("-5") == .token(name: "5f3a", leaseSeconds: 0))
        #expect(lease("\"soon\"") == .token(name: "5f3a", leaseSeconds: 3600))
    }

    @Test(arguments: ["", "a b", "a&b=c", "a#b", "ä", "a\\nb", String(repeating: "x", count: 257)])
    func aTokenThatBreaksARequestIsNone(name: String) {
        let found = answer(#"[{"code":0,"value":{"Token":{"leaseTime":60,"name":"\#(name)"}}}]"#)
        #expect(found == .ok)
    }

    @Test func errorsAreFoundInAnArrayAndWithoutOne() {
        let error = #"{"cmd":"Snap","code":1,"error":{"detail":"please login first","rspCode":-6}}"#
        #expect(answer("[\(error)]") == .error(code: -6, detail: "please login first", remainingTries: nil))
        #expect(answer(error) == .error(code: -6, detail: "please login first", remainingTries: nil))
        #expect(
            answer(#"[{"code":1,"error":{"rspCode":-7,"remain_times":4}}]"#)
                == .error(code: -7, detail: "", remainingTries: 4))
        #expect(answer(#"[{"code":1,"error":{}}]"#) == .error(code: 0, detail: "", remainingTries: nil))
    }

    @Test(arguments: ["", "[]", "null", "<html>", "[[[", #"[{"code":1}]"#, #"[{"code":1,"error":7}]"#, "\u{FF}\u{D8}"])
    func whatIsNeitherIsUnreadable(text: String) { #expect(answer(text) == .unreadable) }

    @Test func aLockIsARefusalUnderAnyNumber() {
        #expect(
            answer("Login has been LOCKED") == .error(code: 0, detail: "Login has been LOCKED", remainingTries: nil))
        #expect(ReolinkError.isRefusal(0, "Login has been LOCKED"))
        #expect(ReolinkError.isRefusal(-4, "login has been locked, wait 5 min"))
        for code in [-7, -27, -500, -501, -502] { #expect(ReolinkError.isRefusal(code, "")) }
        for code in [-1, -5, -6, -21, -105, 0, 7] { #expect(!ReolinkError.isRefusal(code, "password error")) }
    }

    // MARK: Hostile answers

    @Test(
        arguments: [
            ("[1]", .unreadable), (#"[{"code":"0"}]"#, .unreadable), (#"[{"code":0.5}]"#, .unreadable),
            (#"{"code":0}"#, .ok), (#"[{"code":0},{"code":1,"error":{"rspCode":-6}}]"#, .ok),
            (#"[{"code":0,"value":{"Token":7}}]"#, .ok), (#"[{"code":0,"value":{"Token":{"name":7}}}]"#, .ok),
            (#"[{"code":1,"error":{"rspCode":"-6","detail":7}}]"#, .error(code: 0, detail: "", remainingTries: nil)),
            (#"[{"error":{"rspCode":-6},"code":0}]"#, .error(code: -6, detail: "", remainingTries: nil)),
            (
                #"[{"code":1,"error":{"rspCode":-7,"remain_times":-3}}]"#,
                .error(code: -7, detail: "", remainingTries: -3)
            ),
        ] as [(String, ReolinkAnswer)])
    func aTypeThatIsWrongIsNotGuessedAt(text: String, expected: ReolinkAnswer) { #expect(answer(text) == expected) }

    @Test func aTokenMayHave256Bytes() {
        let name = String(repeating: "x", count: 256)
        #expect(
            answer(#"[{"code":0,"value":{"Token":{"name":"\#(name)"}}}]"#) == .token(name: name, leaseSeconds: 3600))
    }

    @Test func onlySoMuchOfABodyIsRead() {
        let json = #"[{"code":0}]"#
        #expect(answer(String(repeating: " ", count: 65_000) + json) == .ok)
        #expect(answer(String(repeating: " ", count: 65_530) + json) == .unreadable)
        #expect(answer(String(repeating: ".", count: 4096) + "login has been locked") == .unreadable)
        #expect(answer(String(repeating: "[", count: 60_000)) == .unreadable)
        #expect(answer(#"{"a":"# + String(repeating: #"{"a":"#, count: 10_000)) == .unreadable)
    }

    @Test func whatALockSaysIsFoundInAnyBody() {
        let page = "<html>Login has been locked, try again in 5 min</html>"
        #expect(answer(page) == .error(code: 0, detail: page, remainingTries: nil))
    }
}
