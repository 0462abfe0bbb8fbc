import CLinux
import Glibc
import SnapshotBase
import SnapshotCamera
import SnapshotMedia

/// One attempt at relaying: ask the camera under each of its addresses what it sends, then run ffmpeg on it. Driven by
/// the relay's loop; it never waits.
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
    private var untold: Event?
    /// How much media had come from the camera when that was last looked at.
    private var received = 0
    /// Why it was ended from here.
    private var reason: AttemptTrouble?
    /// When it was killed. What hangs in a folder dies only when the folder answers; it is left behind.
    private var killed: Uptime?
    private static let timeout = Duration.seconds(2)
    private var encodesAudio = false
    /// When ffmpeg was started.
    private var begun = Uptime.now()
    /// Whether it has waited, perhaps in vain, for the first sound: what is encoded holds up all until it comes.
    var hasWaitedForAudio: Bool { encodesAudio && !hasGrown }
    private(set) var stderrTail: StderrTail

    /// Answers to one question; ffprobe gives a few hundred bytes.
    private static let longestAnswer = 65536
    /// As long as a key frame may have to be waited for.
    private static let longestWaitForAudio = Duration.seconds(15)

    /// - Parameters:
    ///   - addresses: what to try, the likeliest first.
    ///   - digest: whether the camera has offered Digest to this relay.
    ///   - listens: whether audio has to be heard before it is taken.
    ///   - known: what the last attempt has found, where the camera can't be asked for it once more: an address, and what is there.
    ///   - watchesFormat: whether it ends when the camera's video becomes another.
    ///   - arguments: ffmpeg's for what was found; nil where nothing can be made of it.
    ///   - takeMedia: takes ffmpeg's standard output.
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
            untold = .connected(known.address, known.facts)
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

    /// The descriptors to wait for.
    var descriptors: [Int32] {
        guard let child else { return [] }
        return child.outputs.values.map(\.descriptor) + [child.endDescriptor].compactMap { $0 }
    }

    /// Whether its end has to be looked for again and again, since no descriptor will tell.
    var mustBePolled: Bool { killed != nil || child.map { $0.endDescriptor == nil } ?? false }

    /// Whether media comes through here.
    var carriesMedia: Bool { child?.outputs[1] != nil && isStreaming }

    /// How far the media has come, as far as ffmpeg knows.
    var media: Duration? { progress.outTime.map { .microseconds($0) } }

    /// ffmpeg's process.
    var pid: pid_t? { child?.pid }

    func kill() {
        killed = killed ?? .now()
        child?.signal(SIGKILL)
    }

    /// Asks ffmpeg to finish its files and end; a question is simply broken off.
    func terminate() {
        if case .streaming(let child, _) = stage { child.signal(SIGTERM) } else { kill() }
    }

    /// Ends it, so that another begins; asked again, at once.
    func restart(because trouble: AttemptTrouble) {
        if reason == nil { terminate() } else { kill() }
        reason = trouble
    }

    /// Takes what has come.
    func take() -> [Event] {
        defer { untold = nil }
        return (untold.map { [$0] } ?? []) + (isReceiving() ? [.receiving] : []) + takeOutput()
    }

    private func isReceiving() -> Bool {
        guard let count = gateway?.received, count != received else { return false }
        received = count
        // Sound that is encoded holds up all until it comes, and may never come.
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
            if let killed, .now() - killed > Self.timeout { reason = child.leave() ? .ffmpegStuck : reason }
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
            // Without a word of the camera's it has a stream, but none that ffmpeg can read.
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
        // Room for what a fast camera sends while the loop rests; smaller where the system allows no more.
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
        return end(Supervisor.Trouble(reason ?? trouble))
    }

    /// What the camera said tells more than what ffmpeg made of it.
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
