import TestKit
import Testing

@testable import SnapshotMedia

@Suite struct FragmentedMP4Tests {
    private func length(_ bytes: [UInt8]) -> Int {
        FragmentedMP4.wholeLength(size: bytes.count) { Array(bytes.dropFirst($0).prefix(16)) }
    }

    @Test func largeBoxesAndOddOnes() {
        let movie = Array("\u{0}\u{0}\u{0}\u{8}moov".utf8)
        let index = Array("\u{0}\u{0}\u{0}\u{8}moof".utf8)
        let large: [UInt8] = [0, 0, 0, 1] + Array("mdat".utf8) + [0, 0, 0, 0, 0, 0, 0, 20] + [1, 2, 3, 4]
        #expect(length(movie + index + large) == movie.count + index.count + large.count)
        #expect(length(movie + index + large.dropLast()) == 0)
        #expect(length(index + large) == 0)
        #expect(length([0, 0, 0, 0] + Array("moov".utf8)) == 0)
        #expect(length([0xFF, 0xFF, 0xFF, 0xFF] + Array("moov".utf8)) == 0)
        #expect(length(Array(repeating: 0, count: 7)) == 0)
    }

    @Test(arguments: 0..<20)
    func anyBytesAreSurvived(_ seed: Int) {
        var generator = SplitMix(state: UInt64(seed))
        let words = ["moov", "moof", "mdat", "mfra", "free"].map { Array($0.utf8) }
        for _ in 0..<200 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                bytes += [0, 0, 0, UInt8.random(in: 0...40, using: &generator)]
                bytes += words.randomElement(using: &generator) ?? []
                bytes += Array(repeating: 1, count: Int.random(in: 0...20, using: &generator))
            }
            #expect((0...bytes.count).contains(length(bytes)))
        }
    }
}
