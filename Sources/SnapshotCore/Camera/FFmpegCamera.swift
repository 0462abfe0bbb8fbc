import SnapshotBase

/// One frame through ffmpeg: a key frame of an RTSP stream, or a local video device.
struct FFmpegCamera: Camera {
    let settings: CameraSettings

    func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        let result = try Child.run(command, outputLimit: Picture.maximumBytes, deadline: deadline)
        if result.isTimedOut {
            throw .camera(HTTPFailure(kind: .timedOut, why: ""), settings)
        }
        if result.isTooLong {
            throw .camera(HTTPFailure(kind: .tooLarge, why: ""), settings)
        }
        if !result.output.isEmpty { return result.output }
        let complaint = redact(String(decoding: result.complaint, as: UTF8.self), [settings.password])
        let line = complaint.split(separator: "\n").last ?? "ffmpeg gave no picture"
        // The list that ffmpeg reads the address from, lest the password stand in its arguments, is no news.
        let last = String(line.trimmingPrefix("pipe:3: "))
        if complaint.contains("401 Unauthorized") {
            throw Failure(
                .cameraRefused, code: "camera-credentials", "camera refuses login", settings.address,
                why: last.printable(),
                hint: "check CAMERA_USERNAME and CAMERA_PASSWORD, or those in CAMERA_URL")
        }
        throw Failure(
            .camera, code: "camera-stream", "no picture from", settings.address, why: last.printable(),
            hint: "check CAMERA_URL; ffplay or VLC should show the same stream")
    }

    private var command: Command {
        switch settings.source {
        case .v4l2(let device):
            let quiet = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"]
            let size = settings.size.map { ["-video_size", "\($0.width)x\($0.height)"] } ?? []
            let picture = ["-frames:v", "1", "-q:v", "2", "-f", "mjpeg", "pipe:1"]
            return Command("ffmpeg", quiet + ["-f", "v4l2"] + size + ["-i", device] + picture)
        default:
            let url = if case .rtsp(let url) = settings.source { url } else { "" }
            var source = RTSPSource(url: url, user: settings.login, password: settings.password)
            source.timeout = settings.timeout
            return source.stillCommand
        }
    }
}
