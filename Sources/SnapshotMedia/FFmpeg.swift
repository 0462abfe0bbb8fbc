import SnapshotBase

extension Command {
    package static func ffmpeg(_ arguments: [String], _ environment: Environment) -> Command {
        Command("ffmpeg", arguments, package: "ffmpeg", environment: environment)
    }

    package static func ffprobe(_ arguments: [String], _ environment: Environment) -> Command {
        Command("ffprobe", arguments, package: "ffmpeg", environment: environment)
    }
}

/// What ffmpeg may spend on a stranger's stream: a small one can decode to gigabytes.
package enum FFmpegLimits {
    /// 8K has 33 million.
    package static let mostPixels = 40_000_000
    /// Before an input: it holds for decoding and for looking at it.
    package static let pixels = ["-max_pixels", "\(mostPixels)"]

    /// Whether that is what ffmpeg complains of; it has no number for it.
    package static func areExceeded(_ stderrTail: String) -> Bool {
        stderrTail[...].range(of: "exceeds specified max pixel count") != nil
    }
}
