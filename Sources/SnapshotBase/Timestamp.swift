import Glibc

/// A moment of the wall clock, UTC, in milliseconds since 1970. It may be wrong, as a Raspberry Pi has no
/// battery-backed clock.
///
/// It is always within the years 1 to 9999: a value outside is clamped. So its text can always be read back, and the
/// difference of two never overflows.
package struct Timestamp: Hashable, Comparable, Sendable {
    package let milliseconds: Int64

    /// From the beginning of year 1 to the end of year 9999, in seconds since 1970.
    private static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// - Parameter milliseconds: since 1970; clamped to the range.
    package init(milliseconds: Int64) {
        self.milliseconds = min(max(milliseconds, Self.range.lowerBound * 1000), Self.range.upperBound * 1000 + 999)
    }

    package init(seconds: Int, nanoseconds: Int = 0) {
        let second = min(max(Int64(seconds), Self.range.lowerBound), Self.range.upperBound)
        self.init(milliseconds: second * 1000 + min(max(Int64(nanoseconds) / 1_000_000, 0), 999))
    }

    /// Converts a time of the operating system, such as a file's modification time.
    package init(_ time: timespec) { self.init(seconds: time.tv_sec, nanoseconds: time.tv_nsec) }

    static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The moment `difference` milliseconds later, or earlier if it is negative.
    package func advanced(byMilliseconds difference: Int64) -> Timestamp {
        let (sum, overflow) = milliseconds.addingReportingOverflow(difference)
        return Timestamp(milliseconds: overflow ? milliseconds : sum)
    }

    /// The parts of a date and time as zero-padded decimals.
    package struct Fields {
        package let year, month, day, hour, minute, second, millisecond: String
    }

    package var fields: Fields {
        var parts = tm()
        var time = time_t(secondsSince1970)
        gmtime_r(&time, &parts)
        return fields(of: parts)
    }

    package var secondsSince1970: Int { Int(milliseconds.dividedRoundingDown(by: 1000)) }

    package func fields(of parts: tm) -> Fields {
        Fields(
            year: (Int(parts.tm_year) + 1900).padded(4), month: (Int(parts.tm_mon) + 1).padded(2),
            day: parts.tm_mday.padded(2), hour: parts.tm_hour.padded(2),
            minute: parts.tm_min.padded(2), second: parts.tm_sec.padded(2),
            millisecond: (Int(milliseconds) - secondsSince1970 * 1000).padded(3))
    }

    /// UTC as in `2026-01-21T10:30:45Z`.
    package var iso8601: String {
        let f = fields
        return "\(f.year)-\(f.month)-\(f.day)T\(f.hour):\(f.minute):\(f.second)Z"
    }

    /// UTC as in `20260121T103045.123Z`, the `{timestamp}` of object keys; it sorts as text.
    package var compact: String {
        let f = fields
        return "\(f.year)\(f.month)\(f.day)T\(f.hour)\(f.minute)\(f.second).\(f.millisecond)Z"
    }

    /// UTC as in `20260121T103045Z`, the date format of AWS signatures.
    package var amzDate: String {
        let f = fields
        return "\(f.year)\(f.month)\(f.day)T\(f.hour)\(f.minute)\(f.second)Z"
    }

    /// Parses `2026-01-21T10:30:45Z`, with or without a fraction; nil for anything else.
    package init?(iso8601 text: String) {
        let bytes = Array(text.utf8)
        guard (20...40).contains(bytes.count), bytes.last == UInt8(ascii: "Z") else { return nil }
        for (position, separator) in [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")] {
            guard bytes[position] == separator.utf8.first else { return nil }
        }
        func number(_ range: Range<Int>) -> Int? {
            Int(decimal: String(decoding: bytes[range], as: UTF8.self))
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            year > 0, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var millisecond = 0
        if bytes.count > 20 {
            guard bytes[19] == UInt8(ascii: "."), bytes.count >= 22,
                bytes[20..<bytes.count - 1].allSatisfy({ (48...57).contains($0) })
            else {
                return nil
            }
            let digits = bytes[20..<bytes.count - 1].prefix(3) + [48, 48]
            millisecond = digits.prefix(3).reduce(0) { $0 * 10 + Int($1 - 48) }
        }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (Int32(year - 1900), Int32(month - 1), Int32(day))
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (Int32(hour), Int32(minute), Int32(second))
        self.init(milliseconds: Int64(timegm(&parts)) * 1000 + Int64(millisecond))
    }
}

extension Timestamp {
    /// UTC as in `2026-01-21T10:30:45.123Z`.
    package var iso8601Milliseconds: String { String(iso8601.dropLast()) + "." + fields.millisecond + "Z" }
}

extension Timestamp: JSONValue {
    package init?(json: JSON) {
        guard let milliseconds = Int64(json: json) else { return nil }
        self.init(milliseconds: milliseconds)
    }
    package var json: JSON { milliseconds.json }
}

extension Int64 {
    fileprivate func dividedRoundingDown(by divisor: Int64) -> Int64 {
        self >= 0 ? self / divisor : (self - divisor + 1) / divisor
    }
}
