import SnapshotBase
import Testing

@testable import SnapshotWeb

@Suite struct ByteRangeTests {
    @Test(arguments: [
        ("bytes=0-9", 0, 10), ("bytes=10-10", 10, 1), ("bytes=90-", 90, 10), ("bytes=90-5000", 90, 10),
        ("bytes=-7", 93, 7), ("bytes=-5000", 0, 100), ("Bytes=0-0", 0, 1),
        ("bytes=0-99999999999999999999999", 0, 100), ("bytes=-99999999999999999999999", 0, 100),
    ])
    func parts(header: String, offset: Int, count: Int) {
        #expect(ByteRange(header, size: 100) == .part(offset: offset, count: count))
    }

    @Test(arguments: ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999-"])
    func unsatisfiable(header: String) {
        #expect(ByteRange(header, size: 100) == .unsatisfiable)
    }

    @Test(arguments: [
        nil, "", "bytes", "bytes=", "bytes=-", "bytes=9-3", "bytes=a-b", "bytes=1-2,4-5", "bytes=+1-2",
        "bytes=--5",
        "bytes=1-2-3", "lines=0-1", "bytes= 0-1", "bytes=0x1-2",
    ])
    func ignored(header: String?) {
        #expect(ByteRange(header, size: 100) == .whole)
    }

    @Test func ofAnEmptyFile() {
        #expect(ByteRange("bytes=0-", size: 0) == .unsatisfiable)
        #expect(ByteRange("bytes=-1", size: 0) == .unsatisfiable)
    }
}

@Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (1_768_991_445_123, "Wed, 21 Jan 2026 10:30:45 GMT"),
    (1_709_164_800_000, "Thu, 29 Feb 2024 00:00:00 GMT"), (-1000, "Wed, 31 Dec 1969 23:59:59 GMT"),
])
func httpDates(milliseconds: Int64, text: String) {
    #expect(Timestamp(milliseconds: milliseconds).httpDate == text)
}
