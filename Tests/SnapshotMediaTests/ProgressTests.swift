import SnapshotMedia
import Testing

@Suite struct ProgressTests {
    private func block(_ time: String, size: String = "N/A", frame: String = "0") -> [UInt8] {
        Array("frame=\(frame)\nfps=0.0\nout_time_us=\(time)\ntotal_size=\(size)\nspeed=1x\nprogress=continue\n".utf8)
    }

    @Test func growthIsAnyFigureThatChanged() {
        var it = Progress()
        #expect(it.read(block("N/A")) == false)
        #expect(it.read(block("0")) == false)
        #expect(it.read(block("1000")) == true)
        #expect(it.read(block("1000")) == false)
        #expect(it.read(block("1000", frame: "7")) == true)
        #expect(it.read(block("1000", frame: "7")) == false)
        #expect(it.read(block("1000", size: "188", frame: "7")) == true)
        // A camera whose clock was set back still sends.
        #expect(it.read(block("500", size: "188", frame: "7")) == true)
        #expect(it.read(block("N/A", size: "N/A", frame: "7")) == false)
    }

    @Test func bytesMayComeInAnyPieces() {
        let bytes = block("N/A") + block("1000") + block("1000") + block("2000")
        var whole = Progress()
        #expect(whole.read(bytes) == true)
        var pieces = Progress()
        var growths = 0
        for byte in bytes where pieces.read([byte]) { growths += 1 }
        #expect(growths == 2)
    }

    @Test func nonsenseIsNoGrowth() {
        var it = Progress()
        let odd = "progress=continue\nout_time_us\n===\n\n=1\nout_time_us=99999999999999999999\nprogress=end\n"
        #expect(it.read(odd.utf8) == false)
        #expect(it.read(Array(repeating: UInt8(ascii: "x"), count: 100_000)) == false)
        #expect(it.read(Array("out_time_us=5\nprogress=continue\n".utf8)) == false)
        #expect(it.read(block("6")) == true)
    }

    @Test(arguments: 0..<20)
    func anyBytesAreSurvived(_ seed: Int) {
        var generator = SplitMix(state: UInt64(seed))
        var it = Progress()
        var latest = 0
        let alphabet = Array("=\nprogesout_timu0123456789-N/A\r ".utf8) + [0, 255]
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            _ = it.read(bytes)
        }
        // Whatever came before, whole blocks of progress are read.
        _ = it.read(Array("\nprogress=continue\n".utf8))
        for time in ["9000000000000000001", "9000000000000000002"] { latest += it.read(block(time)) ? 1 : 0 }
        #expect(latest > 0)
    }
}
