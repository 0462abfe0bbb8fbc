import SnapshotBase

extension Settings {
    /// The value of WEB_TOKEN; nil if it is unset.
    /// - Throws: `Failure` if it is too short to be secure.
    package func webToken() throws(Failure) -> String? {
        guard let token = try self[Key.webToken] else { return nil }
        let shortest = 16
        guard token.utf8.count >= shortest else {
            throw refusal(
                Key.webToken, rule: "must have at least \(shortest) bytes, or it can be guessed",
                hint: "WEB_TOKEN=$(openssl rand -hex 16)")
        }
        return token
    }
}
