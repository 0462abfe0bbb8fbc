import Glibc
import SnapshotBase
import SnapshotMedia
import SnapshotSettings
import SnapshotState

/// Something the relay does with the video, as the settings want it: `STREAM_MODE` names it. A new one is one type that
/// conforms to this, and one line in `RelayOutputs.all`.
///
/// Arguments of ffmpeg can be read by every user of the machine. An output whose address holds a key or a password
/// therefore needs a gateway: ffmpeg writes to loopback, and this process sends it on, as `PushGateway` does. Secrets
/// that come from `Settings` are kept out of logs and reports without further work.
package protocol RelayOutput: Sendable {
    /// Its name in STREAM_MODE, in messages and in `relay.json`.
    static var mode: String { get }
    /// What it does, in a few words, for the command's help.
    static var summary: String { get }

    /// Refuses settings that are wrong even though STREAM_MODE doesn't name this output. Optional.
    static func check(_ settings: Settings) throws(Failure)

    /// Reads its settings and touches nothing else.
    init(_ settings: Settings, _ shared: SharedOutputSettings) throws(Failure)

    /// Whether video of that codec, as ffmpeg names it, can be played in what it makes. Optional.
    func carries(_ codec: String) -> Bool

    /// Makes ready what lasts as long as the relay does: folders, gateways, threads. What writes into OUTPUT_DIR holds
    /// `SharedOutputSettings.outputDirectory` first.
    /// - Parameter health: takes what is wrong with this output, from any thread.
    func open(_ health: OutputHealth, log: Log) throws(Failure) -> any OpenOutput
}

extension RelayOutput {
    package var mode: String { Self.mode }
    package static func check(_ settings: Settings) throws(Failure) {}
    package func carries(_ codec: String) -> Bool { true }
}

/// An output in use. The relay calls all of it in one thread: `begin`, `started`, then `flowed` and `take` while media
/// flows, then `ended`, for each run of ffmpeg. Nothing here may wait, except where it says so.
package protocol OpenOutput: AnyObject {
    /// A run of ffmpeg is about to begin.
    /// - Returns: what ffmpeg gets for this output; nil where it has to go without.
    func begin(_ facts: StreamFacts) -> FFmpegSlave?
    /// ffmpeg runs, as that process.
    func started(_ ffmpeg: pid_t?)
    /// Media has flowed from the camera; called about once a second.
    /// - Parameter media: how far it has come in this run; nil where ffmpeg doesn't know.
    /// - Returns: whether only a new ffmpeg would write to this output again.
    func flowed(now: Uptime, media: Duration?) -> Bool
    /// What ffmpeg wrote to standard output, where the slave's target is `.standardOutput`.
    func take(_ bytes: ArraySlice<UInt8>, now: Uptime)
    /// ffmpeg has ended. May take up to a second to finish what is under way.
    func ended(now: Uptime)
    /// Whether its disk is full, of which ffmpeg may have died.
    var isFull: Bool { get }

    /// When to call `tick` even if no media flows; nil for never.
    var wake: Uptime? { get }
    func tick(now: Uptime)
    /// The relay ends.
    func stop()
}

extension OpenOutput {
    package func started(_ ffmpeg: pid_t?) {}
    package func flowed(now: Uptime, media: Duration?) -> Bool { false }
    package func take(_ bytes: ArraySlice<UInt8>, now: Uptime) {}
    package func ended(now: Uptime) {}
    package var isFull: Bool { false }
    package var wake: Uptime? { nil }
    package func tick(now: Uptime) {}
    package func stop() {}
}

/// Settings that more than one output needs.
package struct SharedOutputSettings: Sendable {
    /// The camera's name.
    package var camera: String
    package var stallTimeout: Duration
    /// OUTPUT_DIR.
    package let outputDirectory: OutputDirectory
    package var directory: String { outputDirectory.path }
    /// Whether the web front may read streams and recordings.
    package var showsPictures: Bool
    package var statePath: String
    package let context: ProcessContext

    init(_ settings: Settings, camera: String) throws(Failure) {
        self.camera = camera
        context = settings.context
        stallTimeout = try settings[Key.stallTimeout]
        let directory = try settings[Key.outputDirectory]
        // To ffmpeg a name with a colon is a protocol, unless it is seen to be a path.
        let path = ["/", "./", "../"].contains(where: directory.hasPrefix) ? directory : "./" + directory
        showsPictures = try settings[Key.webImages]
        outputDirectory = OutputDirectory(path, isServed: showsPictures)
        statePath = try stateDirectory(settings)
    }
}
