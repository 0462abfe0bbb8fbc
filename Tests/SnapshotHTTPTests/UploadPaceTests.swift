import SnapshotBase
import TestKit
import Testing

@testable import SnapshotHTTP

@Suite struct UploadPaceTests {
    private let time = TestClock()

    private func pace(_ bytesPerSecond: Int, stop: StopRequest = .never) -> UploadPace {
        UploadPace(bytesPerSecond: bytesPerSecond, ProcessContext(clock: time.clock, stop: stop))
    }

    @Test(arguments: [(1024, 1024), (4000, 1024), (80_000, 20_000)]) func piecesAreShort(rate: Int, piece: Int) {
        #expect(pace(rate).piece == piece)
    }

    @Test func bytesAreWaitedFor() {
        let pace = pace(10_000)
        pace.wait()
        #expect(pace.waited == .zero)
        for _ in 0..<3 {
            pace.wait()
            pace.count(1000)
        }
        pace.wait()
        #expect(pace.waited == .milliseconds(300))
    }

    @Test func thereIsNoBurstAfterAPause() {
        let pace = pace(1000)
        pace.count(1000)
        time.advance(by: .seconds(3600))
        pace.wait()
        #expect(pace.waited == .zero)
        pace.count(90_000)
        pace.wait()
        #expect(pace.waited == .seconds(90))
    }

    @Test func whoIsAskedToEndIsNotHeldUp() {
        let pace = pace(1, stop: StopRequest { true })
        pace.count(1000)
        pace.wait()
        #expect(pace.waited == .zero)
    }
}
