import SnapshotBase

/// The state machine that restarts the relay's attempts: events in, actions out, time as an argument.
///
/// An attempt is everything from the first ffprobe to the end of ffmpeg. There is one at a time; the next begins only
/// after the end of the last one was reported.
package struct Supervisor: Sendable {
    package enum State: Equatable, Sendable {
        /// An attempt has begun, and no media has been written yet. `lastSign`: when it last made progress or received
        /// media; `step`: when its present step began.
        case starting(lastSign: Uptime, step: Uptime)
        case running(since: Uptime, lastGrowth: Uptime)
        /// The attempt was killed, since it wrote no media or made no progress for too long. It hasn't ended yet.
        case stalled
        case backingOff(until: Uptime)
        /// The camera refused the credentials, or its TLS key isn't known to be the pinned one. More attempts could
        /// lock the account.
        case refused(until: Uptime)
        /// A stop was requested; ffmpeg is finishing its files.
        case stopping(since: Uptime, isKilled: Bool)
        case stopped
    }

    package enum Event: Equatable, Sendable {
        /// Time has passed.
        case tick
        /// The attempt went on to its next step, e.g. from ffprobe to ffmpeg; no media has been written yet.
        case advanced
        /// Media arrived, but none has been written yet, since ffmpeg waits for a key frame.
        case receiving
        /// Media was written.
        case grew
        /// The attempt has ended, and its processes too.
        case ended(Trouble)
        case stop
    }

    package enum Action: Equatable, Sendable {
        case start
        /// Let ffmpeg finish its files and end.
        case terminate
        case kill
        /// End the relay.
        case exit
    }

    package private(set) var state: State
    /// The number of attempts that have ended without a stop.
    package private(set) var restarts = 0
    package private(set) var lastTrouble: Trouble?
    private let stallTimeout: Duration
    /// Returns a random number from 0 to 1 for each wait.
    private let jitter: @Sendable () -> Double
    private var backoff = Backoff.retry
    private var holdOffs = Backoff.holdOff
    private var lastMedia: Uptime?

    /// After this time arriving media no longer extends a step of a start. It is long, since some cameras send a key
    /// frame only every half minute.
    static let longestStep: Duration = .seconds(40)
    /// A run in which media flowed for at least this long resets the backoff.
    package static let goodRun: Duration = .seconds(300)
    /// How long ffmpeg may take to finish its files after a stop was requested; the whole stop may take ten seconds.
    package static let stopGrace: Duration = .seconds(7)

    package init(
        stallTimeout: Duration, now: Uptime, jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        self.stallTimeout = stallTimeout
        self.jitter = jitter
        state = .backingOff(until: now)
    }

    /// How long each step of a start may take while no media arrives: enough for a slow camera, and short enough that a
    /// start during an outage doesn't delay recovery past the stall timeout.
    package var startTimeout: Duration { min(stallTimeout, max(.seconds(10), stallTimeout / 2)) }

    /// When `tick` is due if nothing else happens; nil where it isn't.
    package var wake: Uptime? {
        switch state {
        case .starting(let lastSign, _): lastSign + startTimeout
        case .running(_, let lastGrowth): lastGrowth + stallTimeout
        case .backingOff(let until), .refused(let until): until
        case .stopping(let since, false): since + Self.stopGrace
        case .stalled, .stopping, .stopped: nil
        }
    }

    /// - Returns: what the relay has to do now; nil for nothing.
    package mutating func handle(_ event: Event, now: Uptime) -> Action? {
        switch (state, event) {
        case (.stopped, _): return nil
        case (.stopping, .ended):
            state = .stopped
            return .exit
        case (_, .stop): return stop(now)
        case (_, .ended(let trouble)): return recover(from: trouble, now)
        case (.starting, .advanced): state = .starting(lastSign: now, step: now)
        case (.starting(_, let step), .receiving):
            if now - step < Self.longestStep { state = .starting(lastSign: now, step: step) }
        case (.starting, .grew): state = .running(since: now, lastGrowth: now)
        case (.running(let since, _), .grew): state = .running(since: since, lastGrowth: now)
        case (_, .tick): return tick(now)
        // Late events of an attempt that was already given up.
        case (_, .advanced), (_, .receiving), (_, .grew): break
        }
        return nil
    }

    private mutating func tick(_ now: Uptime) -> Action? {
        guard let wake, now >= wake else { return nil }
        switch state {
        case .starting, .running:
            if case .running(let since, let lastGrowth) = state { endRun(since, lastGrowth) }
            state = .stalled
            return .kill
        case .backingOff, .refused:
            state = .starting(lastSign: now, step: now)
            return .start
        case .stopping(let since, false):
            state = .stopping(since: since, isKilled: true)
            return .kill
        case .stalled, .stopping, .stopped: return nil
        }
    }

    private mutating func stop(_ now: Uptime) -> Action? {
        switch state {
        case .backingOff, .refused:
            state = .stopped
            return .exit
        case .starting, .running:
            state = .stopping(since: now, isKilled: false)
            return .terminate
        case .stalled:
            state = .stopping(since: now, isKilled: true)
        case .stopping, .stopped: break
        }
        return nil
    }

    private mutating func recover(from trouble: Trouble, _ now: Uptime) -> Action? {
        switch state {
        case .running(let since, let lastGrowth):
            endRun(since, lastGrowth)
            lastTrouble = trouble
        case .starting: lastTrouble = trouble
        case .stalled: lastTrouble = trouble.known == .ffmpegStuck ? trouble : Trouble(.cameraStalled)
        case .backingOff, .refused, .stopping, .stopped: return nil
        }
        restarts += 1
        if trouble.isRefusal {
            state = .refused(until: now + holdOffs.next())
        } else {
            // Equal jitter: wait between half and all of it, so that relays don't reconnect together, and none does
            // immediately.
            let wait = backoff.next(since: lastMedia, now: now, stallTimeout: stallTimeout)
            state = .backingOff(until: now + wait * (0.5 + 0.5 * jitter()))
        }
        return nil
    }

    /// Ends a run in which media flowed; one of at least `goodRun` resets the backoff.
    private mutating func endRun(_ since: Uptime, _ lastGrowth: Uptime) {
        holdOffs.reset()
        lastMedia = lastGrowth
        if lastGrowth - since >= Self.goodRun { backoff.reset() }
    }
}
