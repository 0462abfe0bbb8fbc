import SnapshotBase
import SnapshotHTTP
import SnapshotMedia
import SnapshotProcesses

/// One frame through ffmpeg: a key frame of an RTSP stream, or a frame of a local video device.
struct FFmpegCamera: Camera {
    enum Input {
        /// The URL has no user and password.
        case stream(url: String)
        case device(path: String)
    }

    let settings: CameraSettings
    let input: Input
    let trust: CameraTrust

    func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        switch input {
        case .device(let path): try picture(command(device: path, deadline), deadline: deadline)
        case .stream(let url): try picture(of: url, &memory, deadline)
        }
    }

    private func picture(
        of url: String, _ memory: inout CameraMemory, _ deadline: Deadline
    ) throws(Failure) -> [UInt8] {
        let known = try HostAndPort(tlsURL: url).map { host throws(Failure) in
            try trust.trust(for: host, deadline: deadline)
        }
        var stream = PullGateway.Stream(settings, url: url) { _, _ in known ?? .authorities(file: nil) }
        // Longer than the deadline, so that the error is the run's timeout and not the gateway's.
        stream.timeout = deadline.left + .seconds(2)
        stream.digest = OfferedDigest(isSet: memory.auth == "digest")
        let gateway = try PullGateway(stream)
        // Wait for the gateway's thread, so that TLS is shut down before the process ends.
        defer { gateway.stop(grace: .seconds(2)) }
        defer { if stream.digest.isSet { memory.auth = "digest" } }
        return try picture(
            gateway.source.stillCommand(settings.context.environment), through: gateway, deadline: deadline)
    }

    private func picture(
        _ command: Command, through gateway: PullGateway? = nil, deadline: Deadline
    ) throws(Failure) -> [UInt8] {
        var command = command
        command.leftBehindFile = trust.leftBehindFile
        let result = try Child.run(command, outputLimit: settings.maxBytes, deadline: deadline)
        if result.isTooLong { throw .camera(HTTPFailure(kind: .tooLarge, why: ""), settings, over: "RTSP") }
        if !result.output.isEmpty, !result.isTimedOut { return result.output }
        if let failure = gateway?.failure { throw failure }
        if result.isTimedOut { throw .camera(HTTPFailure(kind: .timedOut, why: ""), settings, over: "RTSP") }
        throw noPicture(String(decoding: result.stderrTail, as: UTF8.self), gateway)
    }

    private func noPicture(_ stderrTail: String, _ gateway: PullGateway?) -> Failure {
        if FFmpegLimits.areExceeded(stderrTail) {
            return Failure(
                .picture(.tooLarge), "bad picture from camera", settings.address,
                why: "it has more than \(FFmpegLimits.mostPixels / 1_000_000) million pixels",
                hint: "choose a smaller stream of the camera's")
        }
        if case .device(let path) = input, let failure = VideoDevice(path: path).failure { return failure }
        let text = gateway?.replacement.applied(to: stderrTail) ?? stderrTail
        let isWithoutVideo = text[...].range(of: "matches no streams") != nil
        // ffmpeg begins its messages with the name of its input, which tells nothing: it is always the same pipe.
        let last = text.split(separator: "\n").last?.trimmingPrefix("pipe:\(RTSPSource.descriptor): ")
        return Failure(
            .camera(.stream), "no picture from camera", settings.address,
            why: isWithoutVideo
                ? "it has no video" : last.map { "\(ForeignText($0))" } ?? "ffmpeg gave no picture",
            hint: settings.hint(.noStream))
    }

    /// The command that takes one frame. A device's first frames are skipped: they are too dark or too bright until
    /// automatic exposure has settled.
    private func command(device: String, _ deadline: Deadline) -> Command {
        let quiet = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"]
        let size = settings.size.map { ["-video_size", "\($0.width)x\($0.height)"] } ?? []
        let settled = ["-vf", Self.settled(within: deadline.left)]
        let picture = settled + ["-frames:v", "1", "-q:v", "2", "-threads", "1", "-f", "mjpeg", "pipe:1"]
        let input = ["-threads", "1"] + FFmpegLimits.pixels + ["-f", "v4l2"] + size + ["-i", device]
        return Command.ffmpeg(quiet + input + picture, settings.context.environment)
    }

    /// ffmpeg's filter for a settled frame: after 1.5 s (or a third of the time left, if less) and five frames; after
    /// twice that time in any case; and after 90 frames, since timestamps may be wrong.
    private static func settled(within left: Duration) -> String {
        let time = min(1.5, max(0.1, left.seconds / 3))
        return "select='gte(t,\(time))*gte(n,5)+gte(t,\(2 * time))+gte(n,90)'"
    }
}
