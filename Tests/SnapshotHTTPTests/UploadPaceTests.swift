import SnapshotBase
import Testing

@testable import SnapshotHTTP

@Suite struct UploadPaceTests {
    @Test(arguments: [(1024, 1024), (4000, 1024), (80_000, 20_000)]) func piecesAreShort(rate: Int, piece: Int) {
        #expect(UploadPace(bytesPerSecond: rate, stop: .never).piece == piece)
    }

    @Test func bytesAreWaitedFor() {
        let pace = UploadPace(bytesPerSecond: 10_000, stop: .never)
        pace.wait()
        #expect(pace.waited < .milliseconds(50))
        for _ in 0..<3 {
            pace.wait()
            pace.count(1000)
        }
        pace.wait()
        #expect(pace.waited > .milliseconds(250) && pace.waited < .seconds(2))
    }

    @Test func whoIsAskedToEndIsNotHeldUp() {
        let pace = UploadPace(bytesPerSecond: 1, stop: StopRequest { true })
        pace.count(1000)
        pace.wait()
        #expect(pace.waited < .milliseconds(50))
    }
}
