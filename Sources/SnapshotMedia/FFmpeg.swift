import SnapshotBase
import SnapshotProcesses

extension Command {
    package static func ffmpeg(_ arguments: [String], _ environment: Environment) -> Command {
        Command("ffmpeg", arguments, package: "ffmpeg", environment: environment)
    }

    package static func ffprobe(_ arguments: [String], _ environment: Environment) -> Command {
        Command("ffprobe", arguments, package: "ffmpeg", environment: environment)
    }
}

/// Limits for what ffmpeg may decode of an untrusted stream: a few bytes can decode to gigabytes.
package enum FFmpegLimits {
    /// The largest accepted frame, in pixels; an 8K frame has 33 million.
    package static let mostPixels = 40_000_000
    /// ffmpeg's arguments for that limit. Before an input they apply to decoding and to probing.
    package static let pixels = ["-max_pixels", "\(mostPixels)"]

    /// Whether ffmpeg failed because of that limit; only its message says so, its exit status doesn't.
    package static func areExceeded(_ stderrTail: String) -> Bool {
        stderrTail[...].range(of: "exceeds specified max pixel count") != nil
    }
}
