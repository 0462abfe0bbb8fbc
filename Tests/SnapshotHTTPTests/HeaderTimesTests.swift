import Testing

@testable import SnapshotHTTP

/// Times in the headers of responses; libcurl parses them.
@Suite struct HeaderTimesTests {
    @Test(arguments: [
        ("9999999999999", 86400), ("9223372036854775807", 86400), ("60", 60),
        ("18446744073709551615", 86400), ("-1", nil), ("1e9", nil), ("١", nil),
    ])
    func retryAfterIsAtMostADay(text: String, seconds: Int?) throws {
        // libcurl has to be loaded.
        _ = try EasyHandle()
        var response = HTTPResponse()
        response.headers["retry-after"] = text
        #expect(response.retryAfter == seconds.map { .seconds($0) })
    }

    @Test(arguments: [
        ("Thu, 01 Jan 2026 00:00:00 GMT", true), ("Fri, 31 Dec 2100 23:59:59 GMT", true),
        ("Wed, 31 Dec 2025 23:59:59 GMT", false), ("Sat, 01 Jan 2101 00:00:00 GMT", false),
        ("Thu, 01 Jan 1970 00:00:00 GMT", false), ("Thu, 01 Jan 2147483647 00:00:00 GMT", false),
        ("Thu, 01 Jan 288400000 00:00:00 GMT", false), ("Thu, 01 Jan 300000 00:00:00 GMT", false),
        ("99999999999", false), ("yesterday", false), ("", false),
    ])
    func aDateCountsFrom2026To2100(text: String, counts: Bool) throws {
        _ = try EasyHandle()
        #expect((httpDate(text) != nil) == counts)
    }
}
