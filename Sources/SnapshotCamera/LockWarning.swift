import SnapshotBase

/// Detects in a camera's refusal that the login is locked or about to be, in the forms that cameras use.
enum LockWarning {
    /// This many tries left, or fewer, count as a warning.
    private static let few = 2
    private static let words = ["locked", "lockout", ">lock<", "\"lock\""]
    /// The names that XML and JSON bodies use for the number of tries left, in lower case.
    private static let names = [
        "retrylogintime", "remain_times", "remaintimes", "remaining_attempts", "remainingattempts",
    ]
    private static let tries: Set<Substring> = [
        "try", "tries", "attempt", "attempts", "times", "logins", "chances", "retries",
    ]

    /// - Parameter text: the refusal's body or its message.
    static func isIn(_ text: String) -> Bool {
        let text = text.lowercased().replacing("unlocked", with: "")
        if words.contains(where: { text[...].range(of: $0) != nil }) { return true }
        for name in names {
            guard let found = text[...].range(of: name) else { continue }
            let number = text[found.upperBound...].prefix(8).drop { !$0.isASCIIDigit }.prefix { $0.isASCIIDigit }
            if let left = Int(decimal: number), left <= few { return true }
        }
        let parts = text.split { !$0.isLetter && !$0.isASCIIDigit }
        return zip(parts, parts.dropFirst()).contains { number, word in
            tries.contains(word) && Int(decimal: number).map { $0 <= few } ?? false
        }
    }

    static func isIn(_ body: [UInt8]) -> Bool { isIn(String(decoding: body.prefix(4096), as: UTF8.self)) }

    static func isFew(_ left: Int?) -> Bool { left.map { $0 <= few } ?? false }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
