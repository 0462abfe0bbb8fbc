import CLinux
import Glibc
import SnapshotBase
import SnapshotMedia
import SnapshotProcesses

/// `snapshot relay`: one connection to the camera and any of the outputs, for months. A loop around `poll` passes
/// events to the supervisor and performs its actions.
package final class Relay {
    private let plan: RelayPlan
    private var clock: SystemClock { plan.context.clock }
    private let outputs: OpenOutputs
    private var supervisor: Supervisor
    private var attempt: Attempt?
    private var memory: StreamAddressMemory
    private let digest = OfferedDigest()
    private var reporter: RelayReporter
    /// Whether ffprobe ignores announced audio of which no packet arrives; set after ffmpeg waited for audio in vain.
    private var verifiesAudio = false
    /// The stream for the next attempt, which skips ffprobe, since ffprobe's session was the last one the camera had.
    private var known: StreamInfo?
    /// The stream of the present attempt; nil until ffprobe has found it.
    private var found: StreamInfo?
    private var formatChanges = FormatChanges()
    /// Whether ffmpeg exited though media arrived. It may have given up before the first key frame, which gives the
    /// video's size and which some cameras send rarely.
    private var hasRareKeyFrames = false

    private init(_ plan: RelayPlan, _ outputs: OpenOutputs, _ notifier: consuming Notifier, log: Log) {
        self.plan = plan
        self.outputs = outputs
        supervisor = Supervisor(stallTimeout: plan.stallTimeout, now: plan.context.clock.up())
        memory = StreamAddressMemory(statePath: plan.statePath, camera: plan.cameraIdentity)
        reporter = RelayReporter(plan, notifier, log: log)
    }

    /// Relays until SIGTERM, SIGINT or SIGHUP.
    /// - Returns: false where another relay holds the lock of the same state directory.
    /// - Throws: a failure that only a person can repair: ffmpeg is missing, or a folder can't be written.
    package static func run(_ plan: RelayPlan, log: Log) throws(Failure) -> Bool {
        let environment = plan.context.environment
        for command in [Command.ffmpeg([], environment), .ffprobe([], environment)] { try command.checkInstalled() }
        shareHeap()
        return try ServiceProcess.split(plan.context) { notifier throws(Failure) in try run(plan, notifier, log: log) }
    }

    private static func run(_ plan: RelayPlan, _ notifier: consuming Notifier, log: Log) throws(Failure) -> Bool {
        guard let lock = try lockState(plan.statePath) else { return false }
        let signals = try catchSignals()
        // If this fails, a folder that begins to hang while a file in it is open delays the start of ffmpeg.
        _ = shim_begin_starter()
        let relay = Relay(plan, try OpenOutputs(plan, log: log), notifier, log: log)
        relay.run(signals)
        // A thread that hangs keeps the process, and so its descriptors, alive after the end: release the lock here.
        withExtendedLifetime(lock) { _ = flock($0.descriptor, LOCK_UN) }
        relay.reporter.reportDone()
        return true
    }

    private func run(_ signals: FileHandle) {
        reporter.ready()
        releaseMemory()
        loop(signals)
        outputs.stop()
        reporter.stopped(restarts: supervisor.restarts, lastTrouble: supervisor.lastTrouble?.code)
    }

    private func loop(_ signals: FileHandle) {
        while supervisor.state != .stopped {
            wait(for: signals)
            let now = clock.up()
            if shim_signal_read(signals.descriptor) > 0 {
                reporter.stopping()
                perform(supervisor.handle(.stop, now: now), now)
            }
            for event in attempt?.takeEvents() ?? [] { handle(event, now) }
            Child.reapLeftBehind()
            perform(supervisor.handle(.tick, now: now), now)
            reporter.report(supervisor, outputs.states, now: now)
            outputs.tick(now: now)
        }
    }

    private func wait(for signals: FileHandle) {
        var waiting = ([signals.descriptor] + (attempt?.descriptors ?? [])).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        let next = [supervisor.wake, reporter.wake, outputs.wake].compactMap { $0 }.min()
        var limit = next.map { max(0, ($0 - clock.up()).milliseconds + 1) } ?? 60_000
        if attempt?.mustBePolled == true { limit = min(limit, 100) }
        poll(&waiting, nfds_t(waiting.count), Int32(clamping: limit))
        // ffmpeg passes on each burst of media in many small writes: let them accumulate, to save wake-ups.
        if attempt?.carriesMedia == true { usleep(50_000) }
    }

    private func perform(_ action: Supervisor.Action?, _ now: Uptime) {
        switch action {
        case .start: start(now)
        case .terminate: attempt?.terminate()
        case .kill: attempt?.kill()
        case .exit, nil: break
        }
    }

    private func start(_ now: Uptime) {
        do throws(Failure) {
            let start = Attempt.Start(
                addresses: memory.ordered(plan.candidates), digest: digest, verifiesAudio: verifiesAudio, known: known,
                watchesFormat: formatChanges.areFew(now: now))
            attempt = try Attempt(
                plan, start,
                arguments: { [outputs, plan, hasRareKeyFrames] facts in
                    let slaves = outputs.begin(facts)
                    return slaves.isEmpty
                        ? nil : FFmpegArguments(facts, slaves, audio: plan.audio, hasRareKeyFrames: hasRareKeyFrames)
                },
                takeMedia: { [outputs, plan] bytes in outputs.receive(bytes, now: plan.context.clock.up()) })
        } catch {
            handle(.ended(Supervisor.Trouble(error)), now)
        }
    }

    private func handle(_ event: Attempt.Event, _ now: Uptime) {
        switch event {
        case .probing: perform(supervisor.handle(.advanced, now: now), now)
        case .connected(let address, let facts):
            outputs.started(attempt?.pid)
            memory.remember(address)
            found = StreamInfo(address: address, facts: facts)
            reporter.facts = facts
            releaseMemory()
            perform(supervisor.handle(.advanced, now: now), now)
        case .receiving: perform(supervisor.handle(.receiving, now: now), now)
        case .grew:
            perform(supervisor.handle(.grew, now: now), now)
            reporter.flowing(now: now)
            if outputs.flowed(now: now, media: attempt?.outputPosition) { attempt?.restart(because: .ffmpegRestart) }
        case .ended(let trouble):
            outputs.ended(now: now)
            reporter.remember(stderrTail: attempt?.stderrTail.last ?? [])
            if attempt?.mayBeWaitingForAudio == true { verifiesAudio = true }
            if attempt?.endedWithoutOutput == true { hasRareKeyFrames = true }
            attempt = nil
            known = trouble.known == .cameraBusy ? found : nil
            found = nil
            if trouble.known == .cameraFormat { formatChanges.add(now: now) }
            let isFull = outputs.isFull && trouble.isOfFFmpeg
            perform(supervisor.handle(.ended(isFull ? Supervisor.Trouble(.ffmpegFull) : trouble), now: now), now)
        }
    }
}
