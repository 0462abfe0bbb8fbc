/// An error answer of the camera: HTTP 200 with a `rspCode` in the body.
struct Refusal: Error, Equatable {
    let code: Int
    let detail: String
    /// How many attempts are left before the account is locked.
    var remaining: Int?

    init(_ code: Int, _ detail: String? = nil, remaining: Int? = nil) {
        self.code = code
        self.detail = detail ?? Self.details[code] ?? "error"
        self.remaining = remaining
    }

    static let loginFirst = Refusal(-6)
    static let locked = Refusal(-7, "Login has been locked")

    private static let details = [
        -1: "not exist", -4: "param error", -5: "max session", -6: "please login first", -7: "login failed",
        -9: "not support", -12: "get config failed", -13: "set config failed", -16: "fcgi write failed",
        -17: "rcv failed", -21: "token error", -26: "ability error", -27: "invalid user", -48: "snap failed",
        -49: "invalid channel", -105: "login too frequent", -502: "password wrong",
    ]

    /// The element of the answer's array for this command.
    func answer(to command: String) -> JSON {
        var error: [String: JSON] = ["detail": .string(detail), "rspCode": .int(code)]
        if let remaining { error["remain_times"] = .int(remaining) }
        return ["cmd": .string(command), "code": 1, "error": .object(error)]
    }
}

extension Answer {
    init(_ refusal: Refusal, to command: String) {
        self.init(.array([refusal.answer(to: command)]))
        rspCode = refusal.code
    }
}
