import FoundationEssentials
import SnapshotBase

/// The camera's video, and the program that reads it.
struct StreamCheck: Sendable {
    let camera: CameraSettings
    /// Addresses to try, the likeliest first.
    let addresses: [String]
    /// Whether the relay needs it.
    let isNeeded: Bool

    /// For one answer of the camera's.
    private static let patience = Duration.seconds(3)

    /// Asks for the codec; nil where the camera has no video to ask for.
    func codec(deadline: Deadline) -> Finding? {
        guard !addresses.isEmpty else { return nil }
        guard Command.find("ffprobe") != nil else { return .skipped("codec", "ffprobe isn't installed") }
        let silence = "no answer in time"
        var complaint = silence
        for address in addresses where !deadline.hasPassed {
            let started = Uptime.now()
            guard let result = try? Child.run(command(address), outputLimit: 65536, deadline: deadline),
                let report = Report(result.output)
            else { break }
            if let stream = report.streams?.first {
                return .passed(
                    "codec", "\(stream.text), at \(redactedURL(address))",
                    facts: ["codec": .string(stream.codec), "address": .string(redactedURL(address))])
            }
            // Of a server that has fallen silent it says that the data is invalid.
            guard Uptime.now() - started < Self.patience else {
                complaint = silence
                break
            }
            complaint = redact(report.error?.string ?? "no video in it", [camera.password])
            if report.error?.isFinal ?? false { break }
        }
        return failure(complaint)
    }

    private func command(_ address: String) -> Command {
        let user = camera.password.isEmpty ? nil : camera.username
        var source = RTSPSource(url: address, user: user, password: camera.password)
        source.timeout = Self.patience
        let entries = [
            "-select_streams", "v:0", "-show_entries", "stream=codec_name,width,height", "-show_error", "-of", "json",
        ]
        var command = Command("ffprobe", ["-hide_banner", "-loglevel", "error"] + RTSPSource.input + entries)
        command.inputs = [RTSPSource.descriptor: source.list]
        return command
    }

    private func failure(_ complaint: String) -> Finding {
        let place = redactedURL(addresses[0])
        var finding = Finding.failed(
            "codec",
            Failure(
                .camera, code: "camera-stream", "no video from", place, why: complaint,
                hint:
                    "switch RTSP on in the camera's app (Network, Advanced, Port Settings), and check CAMERA_RTSP_PORT")
        )
        finding.isNecessary = isNeeded
        if !isNeeded { finding.text += "; only the relay needs it" }
        return finding
    }

    /// The version of ffmpeg, which stills of some cameras need, and the relay.
    static func ffmpeg(isNeeded: Bool, deadline: Deadline) -> Finding {
        guard let result = try? Child.run(Command("ffmpeg", ["-version"]), outputLimit: 65536, deadline: deadline)
        else {
            guard isNeeded else {
                return .skipped(
                    "ffmpeg", "not installed; only video and some cameras need it", hint: "sudo apt install ffmpeg")
            }
            return .failed(
                "ffmpeg",
                Failure(
                    .camera, code: "no-ffmpeg", "cannot run", "ffmpeg", why: "it is not installed",
                    hint: "sudo apt install ffmpeg"))
        }
        let words = String(decoding: result.output, as: UTF8.self).split(separator: " ", maxSplits: 3)
        let version = words.count > 2 && words[1] == "version" ? String(words[2]) : "of an unknown version"
        return .passed("ffmpeg", version, facts: ["version": .string(version)])
    }
}

/// What ffprobe found.
private struct Report: Decodable {
    struct Stream: Decodable {
        let codec: String
        let width: Int?
        let height: Int?

        private enum CodingKeys: String, CodingKey {
            case codec = "codec_name"
            case width, height
        }

        var text: String {
            if let width, let height, width > 0 { return "\(codec) \(width)×\(height)" }
            return codec
        }
    }

    struct Problem: Decodable {
        let code: Int
        let string: String

        /// No other path would fare better: there is no connection (an error number of the system), or no entry, for
        /// which ffmpeg's number is the status in ASCII behind 0xF8.
        var isFinal: Bool { (-200..<0).contains(code) || code == -0x3130_34F8 || code == -0x3330_34F8 }
    }

    let streams: [Stream]?
    let error: Problem?

    init?(_ output: [UInt8]) {
        guard let found = try? JSONDecoder().decode(Report.self, from: Data(output)) else { return nil }
        self = found
    }
}
