import CLinux
import Glibc
import SnapshotBase
import SnapshotCamera
import SnapshotMedia
import SnapshotProcesses

/// One attempt at relaying: ffprobe tries the camera's addresses in turn, then ffmpeg relays the first that has video.
/// The relay's loop calls `takeEvents` whenever a descriptor is readable; no call waits.
final class Attempt {
    private enum Stage {
        case probing(Child, PullGateway, address: String, output: [UInt8])
        case streaming(Child, PullGateway)
    }

    private let plan: RelayPlan
    private let start: Start
    private let arguments: (StreamFacts) -> FFmpegArguments?
    private let takeMedia: (ArraySlice<UInt8>) -> Void
    /// The addresses that ffprobe hasn't tried yet.
    private var addresses: ArraySlice<String>
    private var stage: Stage?
    private var progress = Progress()
    private var mediaClock: MediaClock
    private var hasGrown = false
    /// An event from the attempt's start, which the first `takeEvents` returns.
    private var unreported: Event?
    /// The number of media bytes from the camera at the last check.
    private var received = 0
    /// Why the relay ended this attempt; nil where it didn't.
    private var reason: AttemptTrouble?
    /// The time since ffprobe or ffmpeg was killed. An ffmpeg that hangs in a folder ends only when that responds.
    private var sinceKill: Stopwatch?
    /// After this time a killed ffmpeg that hasn't ended is left behind.
    private static let killTimeout = Duration.seconds(2)
    private var encodesAudio = false
    /// The time since ffmpeg was started.
    private var sinceStart: Stopwatch
    /// Whether ffmpeg may still be waiting for audio: it re-encodes audio, and has written nothing.
    var mayBeWaitingForAudio: Bool { encodesAudio && !hasGrown }
    /// Whether ffmpeg ended by itself before it wrote anything, though media arrived.
    private(set) var endedWithoutOutput = false
    private(set) var stderrTail: StderrTail

    /// The most bytes of ffprobe's output; it writes a few hundred.
    private static let longestOutput = 65536
    /// How long arriving media counts as progress while ffmpeg may be waiting for audio that it re-encodes.
    private static let longestWaitForAudio = Duration.seconds(15)

    /// Starts ffprobe at the first address, or ffmpeg where the stream is known; throws where that program can't be
    /// started. `arguments` returns ffmpeg's arguments for a stream, nil where no output can carry it. `takeMedia`
    /// receives what ffmpeg writes to its standard output.
    init(
        _ plan: RelayPlan, _ start: Start, arguments: @escaping (StreamFacts) -> FFmpegArguments?,
        takeMedia: @escaping (ArraySlice<UInt8>) -> Void
    ) throws(Failure) {
        self.plan = plan
        self.start = start
        self.arguments = arguments
        self.takeMedia = takeMedia
        addresses = start.addresses[...]
        stderrTail = StderrTail()
        sinceStart = plan.context.clock.stopwatch()
        mediaClock = MediaClock(tolerance: plan.stallTimeout + .seconds(10))
        if let known = start.known {
            try begin(known.facts, gateway(to: known.address))
            unreported = .connected(known.address, known.facts)
        } else {
            try probeNext()
        }
    }

    private var clock: SystemClock { plan.context.clock }

    private var child: Child? {
        switch stage {
        case .probing(let child, _, _, _), .streaming(let child, _): child
        case nil: nil
        }
    }

    private var gateway: PullGateway? {
        switch stage {
        case .probing(_, let gateway, _, _), .streaming(_, let gateway): gateway
        case nil: nil
        }
    }

    private var isStreaming: Bool {
        if case .streaming = stage { true } else { false }
    }

    /// The descriptors to poll for reading.
    var descriptors: [Int32] {
        guard let child else { return [] }
        return child.outputs.values.map(\.descriptor) + [child.endDescriptor].compactMap { $0 }
    }

    /// Whether `takeEvents` has to be called often, since no descriptor becomes readable when the child ends.
    var mustBePolled: Bool { sinceKill != nil || child.map { $0.endDescriptor == nil } ?? false }

    /// Whether media passes through this process.
    var carriesMedia: Bool { child?.outputs[1] != nil && isStreaming }

    /// The position of ffmpeg's output; nil where ffmpeg doesn't know.
    var outputPosition: Duration? { progress.outTime.map { .microseconds($0) } }

    /// The process of ffmpeg or ffprobe.
    var pid: pid_t? { child?.pid }

    func kill() {
        sinceKill = sinceKill ?? clock.stopwatch()
        child?.signal(SIGKILL)
    }

    /// Asks ffmpeg to finish its files and end. ffprobe is killed.
    func terminate() {
        if case .streaming(let child, _) = stage { child.signal(SIGTERM) } else { kill() }
    }

    /// Ends this attempt, so that another begins. A second call kills ffmpeg.
    func restart(because trouble: AttemptTrouble) {
        if reason == nil { terminate() } else { kill() }
        reason = trouble
    }

    /// Reads the child's output, without waiting.
    /// - Returns: the events since the last call.
    func takeEvents() -> [Event] {
        defer { unreported = nil }
        return (unreported.map { [$0] } ?? []) + (isReceiving() ? [.receiving] : []) + takeOutput()
    }

    private func isReceiving() -> Bool {
        guard let count = gateway?.received, count != received else { return false }
        received = count
        // ffmpeg writes nothing before audio that it re-encodes arrives, perhaps never: count media only for a while.
        return !mayBeWaitingForAudio || sinceStart.elapsed < Self.longestWaitForAudio
    }

    private func takeOutput() -> [Event] {
        guard let stage, let child else { return [] }
        child.readOutput(2) { stderrTail.read($0) }
        switch stage {
        case .probing(_, let gateway, let address, var output):
            child.readOutput(1) { output += $0 }
            if output.count > Self.longestOutput { child.signal(SIGKILL) }
            self.stage = .probing(child, gateway, address: address, output: output)
            guard child.poll() != nil else { return [] }
            child.readOutput(1) { output += $0 }
            return probed(output, address, gateway)
        case .streaming:
            child.readOutput(1, takeMedia)
            var grew = false
            child.readOutput(FFmpegArguments.progressDescriptor) { grew = progress.read($0) || grew }
            hasGrown = hasGrown || grew
            if grew, let media = progress.outTime, mediaClock.hasJumped(to: .microseconds(media), now: clock.up()) {
                restart(because: .cameraClock)
            }
            if let sinceKill, sinceKill.elapsed > Self.killTimeout, child.leaveBehind() { reason = .ffmpegStuck }
            guard let ending = child.poll() else { return grew ? [.grew] : [] }
            child.readOutput(1, takeMedia)
            return (grew ? [.grew] : []) + [ended(ending)]
        }
    }

    private func probed(_ output: [UInt8], _ address: String, _ gateway: PullGateway) -> [Event] {
        guard child?.ending != .killed(SIGKILL) else { return [end(Supervisor.Trouble(.cameraSilent))] }
        do throws(Failure) {
            if let facts = StreamFacts(ffprobe: output) {
                try begin(facts, gateway)
                return [.connected(address, facts)]
            }
            // Without a failure the camera has a stream there, but ffprobe can't read it: try the next address, too.
            let failure = gateway.failure
            let hasNoVideoThere = failure.map { $0.code == .camera(.stream) } ?? true
            guard hasNoVideoThere, !addresses.isEmpty else { return [end(because: failure)] }
            try probeNext()
            return [.probing]
        } catch {
            return [error.code == .camera(.codec) ? end(because: error) : end(Supervisor.Trouble(error))]
        }
    }

    private func begin(_ facts: StreamFacts, _ gateway: PullGateway) throws(Failure) {
        guard let arguments = arguments(facts) else {
            throw Failure(
                .camera(.codec), "no output for", plan.camera.address,
                why: "none carries \(facts.video)")
        }
        var command = Command.ffmpeg(arguments.list, plan.context.environment)
        command.inputs = [RTSPSource.descriptor: gateway.source.list]
        command.handles = arguments.folders
        command.outputs = [2, FFmpegArguments.progressDescriptor]
        if arguments.usesStandardOutput { command.outputs.insert(1) }
        let child = try Child(command)
        // Room for what a fast camera sends while the loop sleeps. The call fails where the system allows less.
        if let media = child.outputs[1] { _ = shim_set_pipe_size(media.descriptor, 1 << 20) }
        stage = .streaming(child, gateway)
        sinceStart = clock.stopwatch()
        encodesAudio = FFmpegArguments.encodes(facts.audio, plan.audio)
    }

    private func probeNext() throws(Failure) {
        guard let address = addresses.popFirst() else { return }
        let gateway = try gateway(to: address)
        let child = try Child(
            StreamFacts.probe(gateway.source, verifiesAudio: start.verifiesAudio, plan.context.environment))
        stage = .probing(child, gateway, address: address, output: [])
    }

    private func gateway(to address: String) throws(Failure) -> PullGateway {
        var stream = plan.stream(address, digest: start.digest)
        stream.watchesFormat = start.watchesFormat
        let gateway = try PullGateway(stream)
        stderrTail.translate = gateway.replacement.applied(to:)
        return gateway
    }

    private func ended(_ ending: Child.Ending) -> Event {
        if reason == nil, let failure = gateway?.failure, !hasGrown || failure.code == .camera(.format) {
            return end(because: failure)
        }
        let trouble: AttemptTrouble =
            switch ending {
            case .exited where hasGrown: .cameraLost
            case .exited: .ffmpegFailed
            case .killed: .ffmpegKilled
            }
        endedWithoutOutput = reason == nil && trouble == .ffmpegFailed && received > 0
        return end(Supervisor.Trouble(reason ?? trouble))
    }

    /// Ends the attempt with the camera's failure, which explains more than ffmpeg's messages.
    private func end(because failure: Failure?) -> Event {
        let event = end(failure.map { Supervisor.Trouble($0) } ?? Supervisor.Trouble(.cameraStream))
        if let failure { stderrTail = StderrTail(of: failure) }
        return event
    }

    private func end(_ trouble: Supervisor.Trouble) -> Event {
        if let child { child.readOutput(2) { stderrTail.read($0) } }
        stderrTail.endLine()
        stage = nil
        return .ended(trouble)
    }
}
