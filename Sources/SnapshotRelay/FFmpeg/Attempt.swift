import CLinux
import Glibc
import SnapshotBase
import SnapshotCamera
import SnapshotMedia

/// One attempt at relaying: ffprobe asks the camera's addresses in turn, then ffmpeg runs on the first that has video.
/// The relay's loop drives it; no call waits.
final class Attempt {
    private enum Stage {
        case asking(Child, PullGateway, address: String, answer: [UInt8])
        case streaming(Child, PullGateway)
    }

    private let plan: RelayPlan
    private let digest: DigestMemory
    private let arguments: (StreamFacts) -> FFmpegArguments?
    private let takeMedia: (ArraySlice<UInt8>) -> Void
    private var addresses: ArraySlice<String>
    private var stage: Stage?
    private var progress = Progress()
    private var clock: MediaClock
    private var hasGrown = false
    private let listens: Bool
    private let watchesFormat: Bool
    private var unreported: Event?
    /// The number of media bytes from the camera at the last check.
    private var received = 0
    /// Why the relay ended this attempt; nil where it didn't.
    private var reason: AttemptTrouble?
    /// When ffmpeg was killed. One that hangs in a folder dies only when the folder responds, and is left behind.
    private var killed: Uptime?
    private static let timeout = Duration.seconds(2)
    private var encodesAudio = false
    /// When ffmpeg was started.
    private var begun = Uptime.now()
    /// Whether audio is re-encoded and nothing was written: ffmpeg then writes nothing before the first audio.
    var hasWaitedForAudio: Bool { encodesAudio && !hasGrown }
    /// Whether ffmpeg ended by itself before it wrote anything, though media arrived.
    private(set) var hasGivenUpAtOnce = false
    private(set) var stderrTail: StderrTail

    /// The most bytes of ffprobe's output; it writes a few hundred.
    private static let longestAnswer = 65536
    /// The wait for the first audio; as long as a key frame may take.
    private static let longestWaitForAudio = Duration.seconds(15)

    /// `addresses` are tried in this order. `listens`: audio counts only once ffprobe has received some. `known`, found by
    /// the last attempt, skips ffprobe. `watchesFormat`: the attempt ends when the video's size or encoding changes.
    /// `arguments` returns nil where no output carries the stream; `takeMedia` receives ffmpeg's standard output.
    init(
        _ plan: RelayPlan, addresses: [String], digest: DigestMemory, listens: Bool, known: Source?,
        watchesFormat: Bool,
        arguments: @escaping (StreamFacts) -> FFmpegArguments?, takeMedia: @escaping (ArraySlice<UInt8>) -> Void
    ) throws(Failure) {
        self.plan = plan
        self.digest = digest
        self.listens = listens
        self.arguments = arguments
        self.takeMedia = takeMedia
        self.addresses = addresses[...]
        stderrTail = StderrTail()
        clock = MediaClock(tolerance: plan.stallTimeout + .seconds(10))
        self.watchesFormat = watchesFormat
        if let known {
            try begin(known.facts, gateway(to: known.address))
            unreported = .connected(known.address, known.facts)
        } else {
            try askNext()
        }
    }

    private var child: Child? {
        switch stage {
        case .asking(let child, _, _, _), .streaming(let child, _): child
        case nil: nil
        }
    }

    private var gateway: PullGateway? {
        switch stage {
        case .asking(_, let gateway, _, _), .streaming(_, let gateway): gateway
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

    /// Whether the child's end must be polled for, since no descriptor becomes readable then.
    var mustBePolled: Bool { killed != nil || child.map { $0.endDescriptor == nil } ?? false }

    /// Whether media passes through this process.
    var carriesMedia: Bool { child?.outputs[1] != nil && isStreaming }

    /// The position of ffmpeg's output; nil where ffmpeg doesn't know.
    var media: Duration? { progress.outTime.map { .microseconds($0) } }

    /// The process of ffmpeg or ffprobe.
    var pid: pid_t? { child?.pid }

    func kill() {
        killed = killed ?? .now()
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
    func take() -> [Event] {
        defer { unreported = nil }
        return (unreported.map { [$0] } ?? []) + (isReceiving() ? [.receiving] : []) + takeOutput()
    }

    private func isReceiving() -> Bool {
        guard let count = gateway?.received, count != received else { return false }
        received = count
        // Audio that is re-encoded delays all output until it arrives, which may be never: don't wait for ever.
        return !hasWaitedForAudio || Uptime.now() - begun < Self.longestWaitForAudio
    }

    private func takeOutput() -> [Event] {
        guard let stage, let child else { return [] }
        child.drain(2) { stderrTail.read($0) }
        switch stage {
        case .asking(_, let gateway, let address, var answer):
            child.drain(1) { answer += $0 }
            if answer.count > Self.longestAnswer { child.signal(SIGKILL) }
            self.stage = .asking(child, gateway, address: address, answer: answer)
            guard child.poll() != nil else { return [] }
            child.drain(1) { answer += $0 }
            return answered(answer, address, gateway)
        case .streaming:
            child.drain(1, takeMedia)
            var grew = false
            child.drain(FFmpegArguments.progressDescriptor) { grew = progress.read($0) || grew }
            hasGrown = hasGrown || grew
            if grew, let media = progress.outTime, clock.hasJumped(to: .microseconds(media), now: .now()) {
                restart(because: .cameraClock)
            }
            if let killed, .now() - killed > Self.timeout { reason = child.leaveBehind() ? .ffmpegStuck : reason }
            guard let ending = child.poll() else { return grew ? [.grew] : [] }
            child.drain(1, takeMedia)
            return (grew ? [.grew] : []) + [ended(ending)]
        }
    }

    private func answered(_ answer: [UInt8], _ address: String, _ gateway: PullGateway) -> [Event] {
        guard child?.ending != .killed(SIGKILL) else { return [end(Supervisor.Trouble(.cameraSilent))] }
        do throws(Failure) {
            if let facts = StreamFacts(ffprobe: answer) {
                try begin(facts, gateway)
                return [.connected(address, facts)]
            }
            // No error from the camera means that it has a stream which ffmpeg can't read: try the next address too.
            let failure = gateway.failure
            let isUnknownThere = failure.map { $0.code == .camera(.stream) } ?? true
            guard isUnknownThere, !addresses.isEmpty else { return [end(because: failure)] }
            try askNext()
            return [.asking]
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
        begun = .now()
        encodesAudio = FFmpegArguments.encodes(facts.audio, plan.audio)
    }

    private func askNext() throws(Failure) {
        guard let address = addresses.popFirst() else { return }
        let gateway = try gateway(to: address)
        let child = try Child(StreamFacts.question(gateway.source, listens: listens, plan.context.environment))
        stage = .asking(child, gateway, address: address, answer: [])
    }

    private func gateway(to address: String) throws(Failure) -> PullGateway {
        var stream = plan.stream(address, digest: digest)
        stream.watchesFormat = watchesFormat
        let gateway = try PullGateway(stream)
        stderrTail.translate = gateway.name.translated
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
        hasGivenUpAtOnce = reason == nil && trouble == .ffmpegFailed && received > 0
        return end(Supervisor.Trouble(reason ?? trouble))
    }

    /// Ends with the camera's error, which explains more than ffmpeg's messages.
    private func end(because failure: Failure?) -> Event {
        let event = end(failure.map { Supervisor.Trouble($0) } ?? Supervisor.Trouble(.cameraStream))
        if let failure { stderrTail = StderrTail(of: failure) }
        return event
    }

    private func end(_ trouble: Supervisor.Trouble) -> Event {
        if let child { child.drain(2) { stderrTail.read($0) } }
        stderrTail.endLine()
        stage = nil
        return .ended(trouble)
    }
}
