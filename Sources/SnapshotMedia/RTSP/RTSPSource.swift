import SnapshotBase

/// What ffmpeg and ffprobe read a stream from: a gateway's address in an ffconcat list that comes through a pipe, since
/// arguments are for everybody to see and the address is a secret.
package struct RTSPSource: Equatable, Sendable {
    package let url: String
    /// How long ffmpeg may wait for the gateway; it waits twice as long (ffmpeg 5.1).
    package let timeout: Duration

    /// The descriptor on which ffmpeg gets the list.
    package static let descriptor: Int32 = 3

    package init(url: String, timeout: Duration) {
        self.url = url
        self.timeout = timeout
    }

    package var list: [UInt8] {
        let options = [
            "rtsp_transport tcp", "timeout \(timeout.nanoseconds / 1000)",
            // Measuring the frame rate first would take a second or more, and nothing here needs it.
            "fpsprobesize 0",
            // ffmpeg would decode to look at the stream once here, where no limit of pixels holds, and once more.
            "codec_whitelist none", "analyzeduration 1",
        ]
        let lines = ["ffconcat version 1.0", "file '\(url)'"] + options.map { "option \($0)" }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }

    /// The arguments by which ffmpeg and ffprobe read the list.
    package static let input =
        FFmpegLimits.pixels
        + [
            "-f", "concat", "-safe", "0", "-protocol_whitelist", "pipe,rtsp,rtp,tcp",
            "-i", "pipe:\(descriptor)",
        ]

    /// One key frame as JPEG on standard output.
    package func stillCommand(_ environment: Environment) -> Command {
        let quiet = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"]
        let picture = ["-map", "0:v:0", "-frames:v", "1", "-q:v", "2", "-threads", "1", "-f", "mjpeg", "pipe:1"]
        let arguments = quiet + ["-threads", "1", "-skip_frame", "nokey"] + Self.input + picture
        var command = Command.ffmpeg(arguments, environment)
        command.inputs = [Self.descriptor: list]
        return command
    }
}
