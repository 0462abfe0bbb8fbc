import SnapshotBase
import Testing

@testable import SnapshotRelay

@Suite struct SupervisorTests {
    private static let begin = Uptime(nanoseconds: 1_000_000_000_000)

    private let refusal = Failure(.camera(.credentials), "camera refuses login", why: "401")

    private func at(_ seconds: Double) -> Uptime { Self.begin + .milliseconds(Int(seconds * 1000)) }

    private func fresh(jitter: Double = 1) -> Supervisor {
        Supervisor(stallTimeout: .seconds(20), now: Self.begin) { jitter }
    }

    /// Started at 0, media at 1.
    private func running() -> Supervisor {
        var it = fresh()
        #expect(it.handle(.tick, now: at(0)) == .start)
        #expect(it.handle(.advanced, now: at(0.5)) == nil)
        #expect(it.handle(.grew, now: at(1)) == nil)
        return it
    }

    @Test func startsAtOnceAndRunsWithTheFirstMedia() {
        let it = running()
        #expect(it.state == .running(since: at(1), lastGrowth: at(1)))
        #expect(it.restarts == 0)
        #expect(it.wake == at(21))
    }

    @Test func mediaThatStopsIsKilledAfterTheTimeoutAndNotBefore() {
        var it = running()
        #expect(it.handle(.grew, now: at(10)) == nil)
        #expect(it.handle(.tick, now: at(29.9)) == nil)
        #expect(it.handle(.tick, now: at(30)) == .kill)
        #expect(it.state == .stalled)
        // The supervisor goes on only after the attempt's end was reported.
        #expect(it.handle(.tick, now: at(500)) == nil)
        #expect(it.wake == nil)
        #expect(it.handle(.ended(.init(.ffmpegKilled)), now: at(501)) == nil)
        #expect(it.lastTrouble?.code == "camera-stalled")
        #expect(it.state == .backingOff(until: at(502)))
        #expect(it.restarts == 1)
        #expect(it.handle(.tick, now: at(502)) == .start)
    }

    /// The trouble is `ffmpeg-stuck`, not `camera-stalled`, since the disk is the cause.
    @Test func anFFmpegThatCannotBeKilledIsReported() {
        var it = running()
        #expect(it.handle(.tick, now: at(21)) == .kill)
        #expect(it.handle(.ended(.init(.ffmpegStuck)), now: at(30)) == nil)
        #expect(it.lastTrouble?.code == "ffmpeg-stuck")
    }

    @Test func aStartThatHangsIsKilledSooner() {
        var it = fresh()
        #expect(it.handle(.tick, now: at(0)) == .start)
        #expect(it.handle(.advanced, now: at(9)) == nil)
        #expect(it.handle(.tick, now: at(18.9)) == nil)
        #expect(it.handle(.tick, now: at(19)) == .kill)
    }

    /// ffprobe and ffmpeg may each take 40 s while media comes, since key frames may be far apart.
    @Test func aStartGoesOnWhileMediaComes() {
        var it = fresh()
        #expect(it.handle(.tick, now: at(0)) == .start)
        for second in [9, 18, 27, 36, 39] {
            #expect(it.handle(.receiving, now: at(Double(second))) == nil)
            #expect(it.handle(.tick, now: at(Double(second) + 0.5)) == nil)
        }
        #expect(it.handle(.advanced, now: at(40)) == nil)
        for second in [49, 58, 67, 76, 79] { #expect(it.handle(.receiving, now: at(Double(second))) == nil) }
        #expect(it.handle(.receiving, now: at(88)) == nil)
        #expect(it.handle(.tick, now: at(89)) == .kill)
    }

    @Test func aCameraThatOftenChangesIsRelayedAsItIs() {
        var it = FormatChanges()
        for second in 0..<5 {
            #expect(it.areFew(now: at(Double(second))))
            it.add(now: at(Double(second)))
        }
        #expect(!it.areFew(now: at(5)) && it.areFew(now: at(601)))
    }

    @Test func backoffDoublesToAMinute() {
        var it = fresh()
        var now = 0.0
        var waits: [Double] = []
        for _ in 0..<9 {
            #expect(it.handle(.tick, now: at(now)) == .start)
            #expect(it.handle(.ended(.init(.cameraUnreachable)), now: at(now)) == nil)
            guard case .backingOff(let until) = it.state else { return #expect(Bool(false), "\(it.state)") }
            waits.append((until - at(now)).seconds)
            now += waits.last ?? 0
        }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60])
        #expect(it.restarts == 9)
    }

    @Test(arguments: [(20.0, 10.0), (1.0, 2.0), (600.0, 60.0)])
    func soonAfterMediaItNeverWaitsLong(_ stallTimeout: Double, _ longest: Double) {
        var it = Supervisor(stallTimeout: .milliseconds(Int(stallTimeout * 1000)), now: Self.begin) { 1 }
        _ = it.handle(.tick, now: at(0))
        _ = it.handle(.grew, now: at(0))
        for second in 1...130 {
            _ = it.handle(.tick, now: at(Double(second)))
            _ = it.handle(.ended(.init(.cameraLost)), now: at(Double(second)))
            guard case .backingOff(let until) = it.state else { continue }
            #expect((until - at(Double(second))).seconds <= (second <= 120 ? longest : 60))
        }
        _ = it.handle(.tick, now: at(300))
        _ = it.handle(.ended(.init(.cameraUnreachable)), now: at(300))
        #expect(it.state == .backingOff(until: at(360)))
    }

    @Test(arguments: [0.0, 0.25, 1.0])
    func jitterTakesOffAtMostHalf(_ jitter: Double) {
        var it = fresh(jitter: jitter)
        _ = it.handle(.tick, now: at(0))
        _ = it.handle(.ended(.init(.cameraLost)), now: at(0))
        #expect(it.state == .backingOff(until: at(0.5 + 0.5 * jitter)))
    }

    @Test(arguments: [(299.0, 2.0), (300.0, 1.0)])
    func fiveGoodMinutesResetTheBackoff(_ run: Double, _ wait: Double) {
        var it = fresh()
        _ = it.handle(.tick, now: at(0))
        _ = it.handle(.ended(.init(.cameraLost)), now: at(0))
        _ = it.handle(.tick, now: at(1))
        _ = it.handle(.grew, now: at(1))
        _ = it.handle(.grew, now: at(1 + run))
        _ = it.handle(.ended(.init(.cameraLost)), now: at(1 + run))
        #expect(it.state == .backingOff(until: at(1 + run + wait)))
    }

    @Test func refusedCredentialsAreAskedOnlySlowly() {
        var it = fresh()
        var now = 0.0
        var waits: [Double] = []
        for _ in 0..<8 {
            #expect(it.handle(.tick, now: at(now)) == .start)
            _ = it.handle(.ended(.init(refusal)), now: at(now))
            guard case .refused(let until) = it.state else { return #expect(Bool(false), "\(it.state)") }
            waits.append((until - at(now)).seconds)
            #expect(it.handle(.tick, now: at(now + (waits.last ?? 0) - 1)) == nil)
            now += waits.last ?? 0
        }
        #expect(waits == [600, 1200, 2400, 4800, 9600, 19200, 21600, 21600])
    }

    @Test func mediaEndsTheHoldOff() {
        var it = fresh()
        _ = it.handle(.tick, now: at(0))
        _ = it.handle(.ended(.init(refusal)), now: at(0))
        _ = it.handle(.tick, now: at(600))
        _ = it.handle(.grew, now: at(601))
        _ = it.handle(.ended(.init(.cameraLost)), now: at(602))
        _ = it.handle(.tick, now: at(700))
        _ = it.handle(.ended(.init(refusal)), now: at(700))
        #expect(it.state == .refused(until: at(1300)))
    }

    @Test func stopLetsFilesBeFinishedThenInsists() {
        var it = running()
        #expect(it.handle(.stop, now: at(5)) == .terminate)
        #expect(it.handle(.stop, now: at(6)) == nil)
        #expect(it.handle(.tick, now: at(11.9)) == nil)
        #expect(it.handle(.tick, now: at(12)) == .kill)
        #expect(it.handle(.tick, now: at(100)) == nil)
        #expect(it.handle(.ended(.init(.ffmpegKilled)), now: at(100)) == .exit)
        #expect(it.state == .stopped)
        #expect(it.restarts == 0)
    }

    @Test func stopWhileNothingRunsIsTheEnd() {
        var it = fresh()
        #expect(it.handle(.stop, now: at(0)) == .exit)
        #expect(it.handle(.tick, now: at(1)) == nil)
        #expect(it.wake == nil)
    }

    @Test func stopWhileStalledWaitsForTheEnd() {
        var it = running()
        #expect(it.handle(.tick, now: at(21)) == .kill)
        #expect(it.handle(.stop, now: at(22)) == nil)
        #expect(it.handle(.ended(.init(.ffmpegKilled)), now: at(23)) == .exit)
    }

    /// Whatever happens in whatever order: an attempt starts only while there is none, and after a stop none starts.
    @Test(arguments: 0..<50)
    func neverTwoAttemptsAtOnce(_ seed: Int) {
        var generator = SplitMix(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1)
        var it = Supervisor(stallTimeout: .seconds(20), now: Self.begin) { 0.5 }
        var now = 0.0
        var isThere = false
        var isStopped = false
        for _ in 0..<2000 {
            now += Double.random(in: 0...15, using: &generator)
            let event: Supervisor.Event
            switch Int.random(in: 0..<100, using: &generator) {
            case 0: event = .stop
            case 1..<50: event = .tick
            case 50..<60 where isThere: event = .advanced
            case 60..<90 where isThere: event = .grew
            case 90... where isThere:
                event = .ended(Bool.random(using: &generator) ? .init(refusal) : .init(.cameraLost))
            default: event = .tick
            }
            let action = it.handle(event, now: at(now))
            if case .ended = event { isThere = false }
            if event == .stop { isStopped = true }
            switch action {
            case .start:
                #expect(!isThere && !isStopped)
                isThere = true
            case .terminate, .kill: #expect(isThere)
            case .exit:
                #expect(!isThere && isStopped)
                return
            case nil: break
            }
            if isThere, !isStopped, it.state != .stalled { #expect(it.wake != nil) }
            if !isThere, !isStopped { #expect(it.wake != nil) }
        }
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
