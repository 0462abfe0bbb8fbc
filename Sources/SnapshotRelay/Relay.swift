import CLinux
import Glibc
import SnapshotBase
import SnapshotCore

/// `snapshot relay`: one connection to the camera, any of the outputs, for months. A plain loop around `poll` that hands
/// events to the supervisor and does what it says.
package final class Relay {
    private let plan: RelayPlan
    private let log: Log
    private let troubles = OutputTroubles()
    private var supervisor: Supervisor
    private var attempt: Attempt?
    private var memory: SourceMemory
    private var hls: HLSFolder?
    private var record: RecordFolder?
    private var hlsWatch: FolderWatch
    private var recordWatch: FolderWatch
    private var outputLock: FileHandle?
    private var gateway: PushGateway?
    private let digest = DigestMemory()
    private var uplink: PipeUplink?
    private var upload: SegmentUpload?
    private var voice: RelayVoice
    private var lastRetained = Uptime.now()
    private var hasWarnedOfBound = false
    /// Once the camera has been found to announce audio that doesn't come, it has to be heard first.
    private var listens = false

    package init(_ plan: RelayPlan, log: Log) {
        self.plan = plan
        self.log = log
        supervisor = Supervisor(stallTimeout: plan.stallTimeout, now: .now())
        memory = SourceMemory(statePath: plan.statePath, place: plan.place)
        voice = RelayVoice(plan, log: log)
        hlsWatch = FolderWatch(
            plan.hlsDirectory, segmentTime: plan.hlsSegmentTime, stallTimeout: plan.stallTimeout)
        // A recording grows with every key frame.
        recordWatch = FolderWatch(plan.recordDirectory, segmentTime: .seconds(10), stallTimeout: plan.stallTimeout)
    }

    /// Runs until SIGTERM, SIGINT or SIGHUP.
    /// - Returns: false where another relay holds the lock of the same state.
    /// - Throws: what a person has to mend first: no ffmpeg, folders that can't be written.
    package func run() throws(Failure) -> Bool {
        for program in ["ffmpeg", "ffprobe"] where Command.find(program) == nil {
            throw .notInstalled(program)
        }
        shareHeap()
        guard let lock = try takeLock() else { return false }
        let signals = try catchSignals()
        try openOutputs()
        voice.ready()
        releaseMemory()
        loop(signals)
        upload?.stop()
        voice.stopped(restarts: supervisor.restarts, lastTrouble: supervisor.lastTrouble?.code)
        withExtendedLifetime(lock) {}
        return true
    }

    // MARK: Beginning

    private func takeLock() throws(Failure) -> FileHandle? {
        do throws(SystemError) {
            try makeDirectory(plan.statePath, mode: 0o750)
            let lock = try openFile(plan.statePath + "/relay.lock", O_RDONLY | O_CREAT, mode: 0o600)
            // Up to 0.2.2 a group could open it, and so hold it for ever.
            fchmod(lock.descriptor, 0o600)
            if retrying({ flock(lock.descriptor, LOCK_EX | LOCK_NB) }) == 0 { return lock }
            if errno == EWOULDBLOCK { return nil }
            throw SystemError("flock")
        } catch {
            throw Failure(.own(.state), "cannot open state directory", plan.statePath, why: "\(error)")
        }
    }

    /// SIGTERM, SIGINT and SIGHUP as something to read, in this thread and those that it will start.
    private func catchSignals() throws(Failure) -> FileHandle {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, number) }
        sigprocmask(SIG_BLOCK, &signals, nil)
        let descriptor = shim_signalfd(&signals)
        guard descriptor >= 0 else {
            throw Failure(.own(.signals), "cannot watch signals", why: "\(SystemError("signalfd"))")
        }
        return FileHandle(owning: descriptor)
    }

    private func openOutputs() throws(Failure) {
        if plan.modes.contains(.hls) || plan.modes.contains(.record) { try lockOutputs() }
        if plan.modes.contains(.hls) {
            hls = try HLSFolder(
                plan.hlsDirectory, segmentTime: plan.hlsSegmentTime, now: .now(), isServed: plan.showsPictures)
        }
        if plan.modes.contains(.record) {
            record = try RecordFolder(
                plan.recordDirectory, retention: plan.retention, isServed: plan.showsPictures)
            record?.retain(now: .now())
        }
        if let push = plan.push {
            gateway = try PushGateway(push, troubles: troubles)
        }
        if let pipe = plan.pipe {
            uplink = PipeUplink(pipe, stallTimeout: plan.stallTimeout, troubles: troubles)
        }
        if let settings = plan.upload {
            upload = SegmentUpload(
                plan.recordDirectory, settings, camera: plan.camera.name, statePath: plan.statePath + "/relay",
                log: log)
            upload?.start()
        }
    }

    /// Another relay, of another state, would sweep away what this one writes.
    private func lockOutputs() throws(Failure) {
        let lock: FileHandle
        do throws(SystemError) {
            // Whoever else may see the video is the owner's to say, by this folder's mode.
            try makeDirectory(plan.outputDirectory, mode: 0o750)
            try openFile(plan.outputDirectory, O_RDONLY | O_DIRECTORY).serve(plan.showsPictures)
            lock = try openFile(plan.outputDirectory + "/.relay.lock", O_RDONLY | O_CREAT, mode: 0o600)
            fchmod(lock.descriptor, 0o600)
        } catch {
            throw cannotWrite(plan.outputDirectory, error)
        }
        if retrying({ flock(lock.descriptor, LOCK_EX | LOCK_NB) }) != 0, errno == EWOULDBLOCK {
            throw Failure(
                .relay(.outputFolder), "cannot write to", plan.outputDirectory,
                why: "another relay writes there",
                hint: "give each camera's relay an OUTPUT_DIR of its own")
        }
        outputLock = lock
    }

    // MARK: The loop

    private func loop(_ signals: FileHandle) {
        while supervisor.state != .stopped {
            wait(for: signals)
            let now = Uptime.now()
            if shim_signal_read(signals.descriptor) > 0 {
                voice.stopping()
                perform(supervisor.handle(.stop, now: now), now)
            }
            for event in attempt?.take() ?? [] { handle(event, now) }
            perform(supervisor.handle(.tick, now: now), now)
            voice.tell(supervisor, troubles.all, now: now)
            // Recordings grow old also while none is added.
            if let retention, now >= retention { retainRecordings(now: now) }
        }
    }

    private func wait(for signals: FileHandle) {
        // ffmpeg writes media in many small pieces; what comes in a tenth of a second is taken together.
        if uplink != nil, attempt != nil { usleep(100_000) }
        var waiting = ([signals.descriptor] + (attempt?.descriptors ?? [])).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        let next = [supervisor.wake, voice.wake, retention].compactMap { $0 }.min()
        var limit = next.map { max(0, ($0 - .now()).milliseconds + 1) } ?? 60_000
        if attempt?.mustBePolled == true { limit = min(limit, 100) }
        poll(&waiting, nfds_t(waiting.count), Int32(clamping: limit))
    }

    private func perform(_ action: Supervisor.Action?, _ now: Uptime) {
        switch action {
        case .start: start(now)
        case .terminate:
            attempt?.terminate()
        case .kill: attempt?.kill()
        case .exit, nil: break
        }
    }

    private func start(_ now: Uptime) {
        do throws(Failure) {
            attempt = try Attempt(
                plan, addresses: memory.ordered(plan.candidates), digest: digest, listens: listens,
                arguments: { [self] facts in arguments(facts) },
                pipe: { [self] bytes in uplink?.send(bytes, now: .now()) })
        } catch {
            handle(.ended(Supervisor.Trouble(error.code.rawValue)), now)
        }
    }

    private func arguments(_ facts: StreamFacts) -> [String] {
        var outputs = FFmpegArguments.Outputs()
        hlsWatch.begin()
        recordWatch.begin()
        outputs.pushURL = gateway?.localURL
        if let names = hls?.begin(now: .now()) {
            outputs.hls = (names.list, plan.hlsDirectory, names.initialisation)
        }
        outputs.recordDirectory = record?.writingDirectory
        outputs.pipes = uplink != nil
        return FFmpegArguments(facts, outputs, plan: plan).list
    }

    private func handle(_ event: Attempt.Event, _ now: Uptime) {
        switch event {
        case .asking: perform(supervisor.handle(.advanced, now: now), now)
        case .connected(let address, let facts):
            gateway?.expect(attempt?.pid)
            memory.note(address)
            voice.facts = facts
            releaseMemory()
            perform(supervisor.handle(.advanced, now: now), now)
        case .grew:
            perform(supervisor.handle(.grew, now: now), now)
            voice.flowing(now: now)
            if let grew = hls?.update() { heed(hlsWatch.look(now: now, grew: grew), .hls) }
            tidyRecordings(all: false)
            if let grew = record?.takeGrowth() { heed(recordWatch.look(now: now, grew: grew), .record) }
        case .ended(let trouble):
            hls?.end()
            tidyRecordings(all: true)
            uplink?.finish(patience: .seconds(1), now: now)
            voice.remember(complaints: attempt?.complaints.last ?? [])
            if attempt?.hasWaitedForAudio == true { listens = true }
            attempt = nil
            perform(supervisor.handle(.ended(trouble), now: now), now)
        }
    }

    private func heed(_ verdict: FolderWatch.Verdict?, _ mode: RelayPlan.Mode) {
        switch verdict {
        case .fine: troubles.set(mode, nil)
        case .trouble(let code): troubles.set(mode, code)
        case .restart:
            troubles.set(mode, "output-stuck")
            attempt?.restart(because: "ffmpeg-anew")
        case nil: break
        }
    }

    private func tidyRecordings(all: Bool) {
        for name in upload?.takeUploaded() ?? [] { record?.forget(name) }
        if record?.finish(all: all) == true { retainRecordings(now: .now()) }
    }

    /// When to look next whether recordings have grown too old; nil where there are none.
    private var retention: Uptime? { record.map { _ in lastRetained + .seconds(60) } }

    private func retainRecordings(now: Uptime) {
        lastRetained = now
        let dropped = record?.retain(now: .now()) ?? 0
        if dropped > 0, let bound = record?.tooTight, !hasWarnedOfBound {
            hasWarnedOfBound = true
            let isSize = bound == .recordMaxBytes
            log.warn(
                "recordings are deleted as soon as they are finished: \(bound.rawValue) "
                    + (isSize ? "holds less than two of them" : "wants more room than there is"))
            log.write(
                .warning,
                isSize
                    ? "hint: raise RECORD_MAX_BYTES, or lower SEGMENT_TIME"
                    : "hint: free some space, or lower RECORD_MIN_FREE")
        }
        if dropped > 0, upload != nil {
            log.warn("\(dropped) recorded segments were given up before the store took them: no more room")
        }
    }
}
