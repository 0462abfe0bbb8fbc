import CLibCurl
import SnapshotBase

/// A date as HTTP headers carry it. One before 2026 or after 2100 comes from a clock that was never set, or from somebody
/// who means harm, and isn't one.
func httpDate(_ text: String) -> Timestamp? {
    let seconds = shim_getdate(text)
    return credibleDates.contains(seconds) ? Timestamp(seconds: Int(seconds)) : nil
}

private let credibleDates = (1_767_225_600..<4_133_980_800)

extension HTTPResponse {
    /// `Retry-After`, in seconds or as a date; at most a day.
    package var retryAfter: Duration? {
        guard let text = headers["retry-after"] else { return nil }
        if !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) {
            return .seconds(min(Int(decimal: text) ?? 86400, 86400))
        }
        guard let moment = httpDate(text), let date else { return nil }
        return .milliseconds(min(max(moment.milliseconds - date.milliseconds, 0), 86_400_000))
    }

    /// The server's clock minus ours, in milliseconds; `Date` has whole seconds, so half of one is added. Nil where the
    /// server's clock can't be right either.
    package var clockOffset: Int64? {
        guard let date, let dateCame else { return nil }
        return date.milliseconds + 500 - dateCame.milliseconds
    }
}
