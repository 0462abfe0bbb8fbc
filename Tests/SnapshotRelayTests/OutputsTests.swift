import Glibc
import SnapshotBase
import SnapshotMedia
import SnapshotSettings
import Synchronization
import TestKit
import Testing

@testable import SnapshotRelay

/// A fifth output, in one type: the relay knows nothing of it.
private struct CopyOutput: RelayOutput {
    static let mode = "copy"
    static let summary = "a file"

    var shared: SharedOutputSettings

    init(_ settings: Settings, _ shared: SharedOutputSettings) throws(Failure) { self.shared = shared }

    static func check(_ settings: Settings) throws(Failure) {
        guard try settings[Key.serverURL] != "http://wrong/" else {
            throw .settings("refused", why: "the fifth output doesn't want it")
        }
    }

    func open(_ reporter: OutputReporter, log: Log) throws(Failure) -> any OpenOutput {
        try shared.outputDirectory.createAndLock()
        return Opened(self, reporter)
    }

    final class Opened: OpenOutput {
        let output: CopyOutput
        let reporter: OutputReporter
        static let calls = Mutex<[String]>([])
        var wake: Uptime? = Uptime(nanoseconds: 5_000_000_000)
        var looks = 0

        init(_ output: CopyOutput, _ reporter: OutputReporter) {
            self.output = output
            self.reporter = reporter
        }

        private func note(_ call: String) { Self.calls.withLock { $0.append(call) } }

        func begin(_ facts: StreamFacts) -> FFmpegSlave? {
            note("begin")
            return FFmpegSlave("matroska", [("live", "1")], to: .address(output.shared.directory + "/copy.mkv"))
        }
        func started(_ ffmpeg: pid_t?) { note("started \(ffmpeg ?? 0)") }
        func flowed(now: Uptime, media: Duration?) -> Bool {
            looks += 1
            if looks == 1 { reporter.fails(CopyTrouble.slow) } else { reporter.works() }
            return looks == 2
        }
        func ended(now: Uptime) { note("ended") }
        func tick(now: Uptime) {
            note("tick")
            wake = nil
        }
        func stop() { note("stop") }
    }
}

private enum CopyTrouble: String, TroubleCode {
    case slow = "copy-slow"
    var words: String { "the disk is slow" }
    var hint: String? { "buy another" }
}

@Suite struct OutputsTests {
    private static let kinds = RelayOutputs.all + [CopyOutput.self]

    private func plan(_ modes: String, _ directory: String, _ more: [String: String] = [:]) throws -> RelayPlan {
        let settings: [String: String] = [
            "CAMERA_IP": "h", "STREAM_MODE": modes, "OUTPUT_DIR": directory,
        ]
        return try RelayPlan(
            Settings(commandLine: named(settings.merging(more) { $1 }), environment: [:], path: "/dev/null"),
            kinds: Self.kinds)
    }

    private func at(_ seconds: Int) -> Uptime { Uptime(nanoseconds: 0) + .seconds(seconds) }

    @Test func aFifthOutputTakesPartInEverything() throws {
        let folder = try TemporaryFolder()
        let plan = try plan("copy, hls", folder.path)
        #expect(plan.modes == ["hls", "copy"])
        let outputs = try OpenOutputs(plan, log: Log("test", in: ProcessContext()))
        #expect(try folder.names() == [".relay.lock", "hls"])

        let facts = StreamFacts(video: "h264", audio: nil)
        let arguments = FFmpegArguments(facts, outputs.begin(facts), audio: .auto)
        #expect(arguments.list.last?.hasSuffix("|[f=matroska:onfail=ignore:live=1]\(folder.path)/copy.mkv") == true)
        #expect(!arguments.usesStandardOutput)

        outputs.started(7)
        #expect(!outputs.flowed(now: at(1), media: nil))
        #expect(outputs.states.troubles == ["copy": OutputTrouble(CopyTrouble.slow)])
        #expect(outputs.flowed(now: at(2), media: .seconds(1)) && outputs.states.troubles.isEmpty)
        #expect(outputs.wake == at(5))
        outputs.tick(now: at(4))
        outputs.tick(now: at(5))
        // The other output's folder is checked even if nothing flows.
        #expect(outputs.wake == at(7))
        outputs.ended(now: at(6))
        outputs.stop()
        #expect(CopyOutput.Opened.calls.withLock { $0 } == ["begin", "started 7", "tick", "ended", "stop"])
    }

    @Test func aFifthOutputIsNamedAndItsSettingsAreChecked() throws {
        let unknown = #expect(throws: Failure.self) { try plan("hls,video", "/nowhere") }
        #expect(unknown?.why.contains("republish, hls, record, pipe or copy, or several") == true)
        let wrong = #expect(throws: Failure.self) { try plan("hls", "/nowhere", ["SERVER_URL": "http://wrong/"]) }
        #expect(wrong?.why == "the fifth output doesn't want it")
    }

    @Test func twoRelaysDoNotShareAFolder() throws {
        let folder = try TemporaryFolder()
        let first = try OpenOutputs(try plan("hls", folder.path), log: Log("test", in: ProcessContext()))
        let second = #expect(throws: Failure.self) {
            try OpenOutputs(try plan("copy", folder.path), log: Log("test", in: ProcessContext()))
        }
        #expect(second?.code == .relay(.outputFolder))
        withExtendedLifetime(first) {}
    }

    @Test func whatFailsIsToldByItsOwnWordsOrBetterOnes() {
        let states = OutputStates()
        let reporter = states.reporter(of: "hls")
        reporter.fails(FolderTrouble.full)
        #expect(states.troubles["hls"]?.code == "folder-full" && states.troubles["hls"]?.words == "the disk is full")
        reporter.fails(FolderTrouble.away, "no disk is mounted at /mnt")
        #expect(
            states.troubles["hls"]?.code == "folder-away"
                && states.troubles["hls"]?.words == "no disk is mounted at /mnt")
        reporter.works()
        #expect(states.troubles.isEmpty)
    }

    @Test func codesAndModesAreUnique() {
        func codes<Code: TroubleCode>(_: Code.Type) -> [String] { Code.allCases.map(\.rawValue) }
        let all =
            codes(PushTrouble.self) + codes(PipeTrouble.self) + codes(FolderTrouble.self)
            + codes(CodecTrouble.self) + codes(AttemptTrouble.self)
        #expect(Set(all).count == all.count)
        #expect(Set(Self.kinds.map { $0.mode }).count == Self.kinds.count)
    }
}
