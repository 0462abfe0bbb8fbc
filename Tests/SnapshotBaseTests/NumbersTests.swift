import Glibc
import TestKit
import Testing

@testable import SnapshotBase

@Suite struct NumbersTests {
    @Test(arguments: [("0", 0), ("7", 7), ("007", 7), ("999999999999999", 999_999_999_999_999)])
    func digitsAreANumber(text: String, number: Int) { #expect(Int(decimal: text) == number) }

    @Test(arguments: [
        "", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1e3", "١٢", "１２", "½", "1000000000000000", "9223372036854775808",
        "1\u{301}",
    ])
    func anythingElseIsNone(text: String) { #expect(Int(decimal: text) == nil) }

    @Test(arguments: [
        (0.4, 0), (-1.6, -2), (.infinity, 1 << 53), (-.infinity, -1 << 53), (.nan, 0), (1e300, 1 << 53),
        (-9.3e18, -1 << 53),
    ])
    func fractionsAreRoundedAndBounded(number: Double, whole: Int) { #expect(Int(bounded: number) == whole) }

    @Test func sumsAndProductsStopAtTheEnd() {
        #expect(Int.max.adding(1) == .max && Int.min.adding(-1) == .min && 2.adding(-5) == -3)
        #expect(Int.max.times(2) == .max && 6.times(7) == 42 && 0.times(.max) == 0)
    }

    @Test(arguments: [Int.min, -1 << 53, -1, 0, 1 << 53, (1 << 53) + 1, .max])
    func everyWholeNumberThatIsWrittenCanBeRead(number: Int) {
        let read = JSON(number.json.bytes)?.integer
        #expect(read == min(max(number, -1 << 53), 1 << 53))
        #expect(JSON(Int64(number).json.bytes).flatMap { Int64(json: $0) } == read.map(Int64.init))
    }

    @Test(arguments: [
        0.0, -0.0, 1.5, .nan, .infinity, -.infinity, .greatestFiniteMagnitude, 9.1e15, .leastNonzeroMagnitude,
    ])
    func everyFractionThatIsWrittenCanBeRead(number: Double) {
        let read = JSON(number.json.bytes)?.double
        #expect(read != nil)
        if number.magnitude <= 9.007e15 { #expect(read == number) }
    }
}

@Suite struct TimeExtremesTests {
    static let extremes: [Int64] = [
        .min, .min + 1, -62_135_596_800_001, -1, 0, 1_800_000_000_123, 253_402_300_800_000, .max,
    ]

    @Test(arguments: extremes)
    func everyMomentHasATextThatIsReadAgain(milliseconds: Int64) {
        let moment = Timestamp(milliseconds: milliseconds)
        #expect(moment.iso8601.utf8.count == 20 && moment.compact.utf8.count == 20 && moment.amzDate.utf8.count == 16)
        let read = Timestamp(iso8601: moment.iso8601)
        #expect(read != nil && abs((read?.milliseconds ?? 0) - moment.milliseconds) < 1000)
    }

    @Test(arguments: extremes, extremes)
    func twoMomentsHaveADifference(one: Int64, other: Int64) {
        let (one, other) = (Timestamp(milliseconds: one), Timestamp(milliseconds: other))
        let difference = other.milliseconds - one.milliseconds
        #expect(one.advanced(byMilliseconds: difference) == other)
        _ = one.advanced(byMilliseconds: .max).advanced(byMilliseconds: .min).iso8601
    }

    @Test(arguments: [Int.min, -1, 0, 9_000_000_000_000_000, Int.max], [Int.min, 0, 999_999_999, Int.max])
    func anyTimeOfAFileIsAMoment(seconds: Int, nanoseconds: Int) {
        let moment = Timestamp(timespec(tv_sec: seconds, tv_nsec: nanoseconds))
        #expect(moment.iso8601.utf8.count == 20)
    }

    @Test(arguments: [
        "0000-01-01T00:00:00Z", "2147483647-01-01T00:00:00Z", "288400000-01-01T00:00:00Z", "-001-01-01T00:00:00Z",
    ])
    func otherYearsAreNoMoments(text: String) { #expect(Timestamp(iso8601: text) == nil) }

    @Test(arguments: [
        Duration.seconds(Int64.max), .seconds(Int64.min), .seconds(9_300_000_000), .zero, .milliseconds(Int.max),
    ])
    func durationsOfAnyLengthCanBeUsed(span: Duration) {
        let (start, far) = (systemClock.up(), Uptime(nanoseconds: .max) + span)
        _ = (start + span) - start
        _ = far - (Uptime(nanoseconds: .min) + span)
        _ = Deadline.after(span).millisecondsLeft + span.milliseconds
        #expect(Deadline.after(span).hasPassed == (span <= .zero))
    }
}
