import Glibc
import SnapshotBase
import SnapshotMedia
import SnapshotSettings
import SnapshotState

/// A kind of output with its settings; `STREAM_MODE` selects it by name. A new kind is a type that conforms to this,
/// and a line in `RelayOutputs.all`.
///
/// ffmpeg's arguments can be read by every user of the machine. An output whose URL holds a key or a password therefore
/// needs a gateway: ffmpeg writes to loopback, and this process forwards, as in `PushGateway`. Secrets that come from
/// `Settings` are kept out of logs and reports without further work.
package protocol RelayOutput: Sendable {
    /// The name in STREAM_MODE, in messages and in `relay.json`.
    static var mode: String { get }
    /// A few words for the command's help.
    static var summary: String { get }

    /// Checks this output's settings, even if STREAM_MODE doesn't name it. Optional.
    static func check(_ settings: Settings) throws(Failure)

    /// Reads the settings, without any other effect.
    init(_ settings: Settings, _ shared: SharedOutputSettings) throws(Failure)

    /// Whether video of that codec, by ffmpeg's name, can be played from this output. Optional; true by default.
    func carries(_ codec: String) -> Bool

    /// Creates what lasts as long as the relay: folders, gateways, threads. An output that writes into OUTPUT_DIR first
    /// calls `createAndLock` of `SharedOutputSettings.outputDirectory`.
    /// - Parameter reporter: receives the output's troubles, from any thread.
    func open(_ reporter: OutputReporter, log: Log) throws(Failure) -> any OpenOutput
}

extension RelayOutput {
    package var mode: String { Self.mode }
    package static func check(_ settings: Settings) throws(Failure) {}
    package func carries(_ codec: String) -> Bool { true }
}

/// An output in use. The relay calls it in one thread. For each run of ffmpeg it calls `begin`, `started`, then
/// `flowed` and `receive` while media flows, then `ended`. No call may wait, except where stated.
package protocol OpenOutput: AnyObject {
    /// A run of ffmpeg is about to begin.
    /// - Returns: ffmpeg's slave for this output; nil where the run has to go without it.
    func begin(_ facts: StreamFacts) -> FFmpegSlave?
    /// ffmpeg runs, with that process id.
    func started(_ ffmpeg: pid_t?)
    /// Media flows; called about once a second.
    /// - Parameter media: the position of ffmpeg's output in this run; nil where ffmpeg doesn't know.
    /// - Returns: whether ffmpeg must be restarted to write to this output again.
    func flowed(now: Uptime, media: Duration?) -> Bool
    /// Receives ffmpeg's standard output, where the slave's target is `.standardOutput`.
    func receive(_ bytes: ArraySlice<UInt8>, now: Uptime)
    /// ffmpeg has ended. The call may wait up to a second to finish files or requests.
    func ended(now: Uptime)
    /// Whether the output's disk is full, which may have ended ffmpeg.
    var isFull: Bool { get }

    /// When `tick` is due, even if no media flows; nil for never.
    var wake: Uptime? { get }
    func tick(now: Uptime)
    /// The relay ends. The call may wait a few seconds to finish files.
    func stop()
}

extension OpenOutput {
    package func started(_ ffmpeg: pid_t?) {}
    package func flowed(now: Uptime, media: Duration?) -> Bool { false }
    package func receive(_ bytes: ArraySlice<UInt8>, now: Uptime) {}
    package func ended(now: Uptime) {}
    package var isFull: Bool { false }
    package var wake: Uptime? { nil }
    package func tick(now: Uptime) {}
    package func stop() {}
}

/// Settings that several outputs use.
package struct SharedOutputSettings: Sendable {
    /// The camera's name.
    package var camera: String
    /// How long media may stall before ffmpeg is restarted.
    package var stallTimeout: Duration
    /// The directory OUTPUT_DIR.
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
        // ffmpeg takes a name with a colon for a protocol, unless it begins like a path.
        let path = ["/", "./", "../"].contains(where: directory.hasPrefix) ? directory : "./" + directory
        showsPictures = try settings[Key.webImages]
        outputDirectory = OutputDirectory(path, isServed: showsPictures)
        statePath = try stateDirectory(settings)
    }
}
