import SnapshotBase
import SnapshotProcesses

/// The input of ffmpeg and ffprobe: a gateway's URL in an ffconcat list. The URL is a secret and arguments are visible
/// to every user, so the list goes through a pipe.
package struct RTSPSource: Equatable, Sendable {
    /// The gateway's URL; it is a secret.
    package let url: String
    /// The timeout that ffmpeg is given for the gateway; ffmpeg 5.1 waits twice as long.
    package let timeout: Duration

    /// The descriptor from which ffmpeg reads the list.
    package static let descriptor: Int32 = 3

    package init(url: String, timeout: Duration) {
        self.url = url
        self.timeout = timeout
    }

    /// The ffconcat list as ffmpeg reads it.
    package var list: [UInt8] {
        let options = [
            "rtsp_transport tcp", "timeout \(timeout.nanoseconds / 1000)",
            // Don't measure the frame rate: it takes a second or more, and nothing here needs it.
            "fpsprobesize 0",
            // Decode nothing while probing this inner input, which the pixel limit doesn't reach. The outer input is
            // probed, too, and obeys it.
            "codec_whitelist none", "analyzeduration 1",
        ]
        let lines = ["ffconcat version 1.0", "file '\(url)'"] + options.map { "option \($0)" }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// The arguments that make ffmpeg and ffprobe read the list.
    package static let input =
        FFmpegLimits.pixels
        + [
            "-f", "concat", "-safe", "0", "-protocol_whitelist", "pipe,rtsp,rtp,tcp",
            "-i", "pipe:\(descriptor)",
        ]

    /// Arguments that go before `input`. With them ffmpeg waits 15 s instead of 5 s for the key frame that gives the
    /// video's size, since some cameras send one every 10 s. It also waits 15 s for announced audio that never arrives.
    package static let longAnalysis = ["-analyzeduration", "15000000"]

    /// The command that writes one key frame as JPEG to standard output.
    package func stillCommand(_ environment: Environment) -> Command {
        let quiet = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"]
        let picture = ["-map", "0:v:0", "-frames:v", "1", "-q:v", "2", "-threads", "1", "-f", "mjpeg", "pipe:1"]
        let arguments = quiet + ["-threads", "1", "-skip_frame", "nokey"] + Self.input + picture
        var command = Command.ffmpeg(arguments, environment)
        command.inputs = [Self.descriptor: list]
        return command
    }
}
