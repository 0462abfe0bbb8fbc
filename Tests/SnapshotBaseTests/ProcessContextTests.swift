import Glibc
import SnapshotBase
import TestKit
import Testing

@Suite struct ProcessContextTests {
    // MARK: The boot's name

    @Test(arguments: [
        ("3f1c0a9b2d4e4f60818293a4b5c6d7e8", "3f1c0a9b-2d4e-4f60-8182-93a4b5c6d7e8"),
        ("3f1c0a9b-2d4e-4f60-8182-93a4b5c6d7e8", "3f1c0a9b-2d4e-4f60-8182-93a4b5c6d7e8"),
        ("00000000000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
    ])
    func theUnitsNameOfTheBootComesFirst(told: String, boot: String) {
        #expect(SystemClock(["SNAPSHOT_BOOT_ID": told]).boot == boot)
    }

    @Test(arguments: [
        "", "3f1c", "3f1c0a9b2d4e4f60818293a4b5c6d7e", "3f1c0a9b2d4e4f60818293a4b5c6d7e8a", "%b",
        String(repeating: "z", count: 32), String(repeating: "１", count: 32),
    ])
    func anythingElseIsTheKernels(told: String) throws {
        let kernel = String(decoding: try readFile("/proc/sys/kernel/random/boot_id", limit: 64), as: UTF8.self)
        #expect(SystemClock(["SNAPSHOT_BOOT_ID": told]).boot == String(kernel.dropLast()))
    }

    // MARK: The journal

    @Test func onlyTheFileThatSystemdNamesIsTheJournal() throws {
        let (reader, writer) = try makePipe()
        let facts = try writer.status()
        func goes(_ stream: String?, _ descriptor: Int32) -> Bool {
            var context = ProcessContext()
            context.environment["JOURNAL_STREAM"] = stream
            return context.goesToJournal(descriptor)
        }
        #expect(goes("\(facts.st_dev):\(facts.st_ino)", writer.descriptor))
        #expect(!goes("\(facts.st_dev):\(facts.st_ino + 1)", writer.descriptor))
        #expect(!goes("\(facts.st_dev)", writer.descriptor))
        #expect(!goes("", writer.descriptor) && !goes(nil, writer.descriptor))
        #expect(!goes("\(facts.st_dev):\(facts.st_ino)", -1))
        withExtendedLifetime(reader) {}
    }

    // MARK: The end

    @Test func aSignalThatIsHeldAsksToStop() {
        let signals = BlockedSignals()
        signals.block()
        defer { signals.release() }
        #expect(!StopRequest.bySignal.isMade)
        raise(SIGHUP)
        #expect(StopRequest.bySignal.isMade && !StopRequest.never.isMade)
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGHUP)
        var atOnce = timespec()
        #expect(sigtimedwait(&set, nil, &atOnce) == SIGHUP)
        #expect(!StopRequest.bySignal.isMade)
    }

    // MARK: Time

    @Test func aTestsClockCounts() {
        let clock = SystemClock(
            boot: "b", wall: { Timestamp(milliseconds: 1_800_000_000_000) }, up: { Uptime(nanoseconds: 7_000_000_000) })
        #expect(clock.wall().iso8601 == "2027-01-15T08:00:00Z" && clock.up().seconds == 7)
        #expect(ProcessContext(clock: clock).clock.boot == "b")
    }

    @Test func aStopwatchGoesByItsClock() {
        let time = TestClock()
        time.advance(by: .seconds(5))
        let watch = time.clock.stopwatch()
        #expect(watch.elapsed == .zero)
        time.clock.sleep(.milliseconds(1500))
        #expect(watch.elapsed == .milliseconds(1500) && time.clock.wall().iso8601Milliseconds.hasSuffix(":06.500Z"))
    }
}
