import CLibCurl
import SnapshotBase

/// Parses a date of an HTTP header; nil if it is invalid, or before 2026 or after 2100: such a date comes from a clock
/// that was never set, or is forged.
func httpDate(_ text: String) -> Timestamp? {
    let seconds = shim_getdate(text)
    return credibleDates.contains(seconds) ? Timestamp(seconds: Int(seconds)) : nil
}

private let credibleDates = (1_767_225_600..<4_133_980_800)

extension HTTPResponse {
    /// The delay in `Retry-After`, which is a number of seconds or a date; at most a day.
    package var retryAfter: Duration? {
        guard let text = headers["retry-after"] else { return nil }
        if !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) {
            return .seconds(min(Int(decimal: text) ?? 86400, 86400))
        }
        guard let moment = httpDate(text), let date else { return nil }
        return .milliseconds(min(max(moment.milliseconds - date.milliseconds, 0), 86_400_000))
    }

    /// The server's clock minus ours, in milliseconds; half a second is added, as `Date` has whole seconds. nil if
    /// there is no credible date.
    package var clockOffset: Int64? {
        guard let date, let receivedAt else { return nil }
        return date.milliseconds + 500 - receivedAt.milliseconds
    }
}
