import Testing

@testable import SnapshotCamera

@Suite struct ScanDigestTests {
    private let bytes = (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 197 &+ 31) }

    /// A change of one bit changes the digest at any length, in whole words and in the bytes behind them.
    @Test func eachBitOfEachByteCounts() {
        for length in 0...bytes.count {
            var found = [scanDigest(bytes[..<length])]
            for place in 0..<length {
                for bit in 0..<8 {
                    var other = bytes
                    other[place] ^= 1 << bit
                    found.append(scanDigest(other[..<length]))
                }
            }
            #expect(Set(found).count == found.count)
        }
    }

    @Test func lengthAndOrderCount() {
        let zeros = [UInt8](repeating: 0, count: 64)
        #expect(Set((0...64).map { scanDigest(zeros[..<$0]) }).count == 65)
        var swapped = bytes
        swapped.swapAt(8, 16)
        #expect(scanDigest(swapped[...]) != scanDigest(bytes[...]))
    }

    @Test func whereTheScanLiesDoesNotCount() {
        for offset in 0..<9 {
            let longer = [UInt8](repeating: 7, count: offset) + bytes + [1, 2, 3]
            #expect(scanDigest(longer[offset..<(offset + bytes.count)]) == scanDigest(bytes[...]))
        }
    }
}
