/// How much one request may bring beside its body: headers, those of challenges and interim answers, trailers. libcurl
/// keeps every line of them until the request has ended, and counts trailers nowhere.
struct HeaderBudget {
    private var left = 256 << 10
    /// What libcurl's books of a line take beside its text.
    private static let line = 128

    /// - Returns: false where a line is beyond what is left.
    mutating func take(_ bytes: Int) -> Bool {
        left -= bytes + Self.line
        return left >= 0
    }
}
