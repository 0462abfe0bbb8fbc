extension Settings {
    /// WEB_TOKEN; nil where there is none. One that can be guessed is refused.
    package func webToken() throws(Failure) -> String? {
        guard let value = try value(.webToken) else { return nil }
        let shortest = 16
        guard value.text.utf8.count >= shortest else {
            throw refusal(
                .webToken, value, rule: "must have at least \(shortest) bytes, or it can be guessed",
                hint: "WEB_TOKEN=$(openssl rand -hex 16)")
        }
        return value.text
    }
}
