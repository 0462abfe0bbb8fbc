/// Limits the headers and trailers of all responses to one request, challenges and interim ones included. libcurl keeps
/// every line until the request has ended, and does not limit trailers.
struct HeaderBudget {
    private var left = 256 << 10
    /// The approximate overhead that libcurl needs for each line, in bytes.
    private static let line = 128

    /// - Returns: false if the line exceeds the remaining budget.
    mutating func take(_ bytes: Int) -> Bool {
        left -= bytes + Self.line
        return left >= 0
    }
}
