import SnapshotBase
import Testing

@Suite struct PercentCodingTests {
    @Test func whatIsUnreservedStays() {
        #expect(percentEncoded("aZ09-._~") == "aZ09-._~")
        #expect(percentEncoded("a b/ü%") == "a%20b%2F%C3%BC%25")
        #expect(percentEncoded("a/b c", also: "/") == "a/b%20c")
    }

    @Test func decodingUndoesIt() {
        for text in ["", "100 %", "ümlaut/✓", "\u{0}\n\u{7F}"] {
            #expect(percentDecoded(percentEncoded(text)) == text)
        }
        #expect(percentDecoded("%c3%BC+") == "ü+")
    }

    @Test(arguments: ["%", "%2", "%2g", "%+1", "%-1", "%ff", "a%%20"])
    func brokenIsNoText(_ text: String) { #expect(percentDecoded(text) == nil) }

    @Test func aStrayMarkMayStay() {
        func lenient(_ text: String) -> String? {
            percentDecoded(bytes: text.utf8, keepsStrays: true).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(lenient("100%") == "100%" && lenient("%zz%41") == "%zzA" && lenient("%%41%4") == "%A%4")
    }

    @Test func zerosInFront() {
        #expect(7.padded(3) == "007" && 1234.padded(3) == "1234" && 0.padded(1) == "0")
        #expect(UInt16(0x1F90).padded(4, radix: 16) == "1f90" && Int64(10).padded(8, radix: 16) == "0000000a")
    }
}
