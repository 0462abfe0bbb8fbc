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
        var why = silence
        for address in addresses where !deadline.hasPassed {
            let started = Uptime.now()
            guard
                let result = try? Child.run(question(address), outputLimit: 65536, deadline: deadline),
                !result.isTimedOut
            else { break }
            switch StreamFacts.answer(result.output) {
            case .found(let facts):
                let size = facts.size.map { " \($0.width)×\($0.height)" } ?? ""
                return .passed(
                    "codec", "\(facts.video)\(size), at \(redactedURL(address))",
                    facts: ["codec": .string(facts.video), "address": .string(redactedURL(address))])
            case .noSuchStream: why = "it has no such stream"
            case .refused:
                return failure("it refuses the login", hint: "check CAMERA_USERNAME and CAMERA_PASSWORD")
            case .unreachable:
                // ffprobe tells a server that has fallen silent from one that isn't there by nothing but the time.
                return failure(Uptime.now() - started < Self.patience ? "it can't be reached" : silence)
            }
        }
        return failure(why)
    }

    private static let switchOn =
        "switch RTSP on in the camera's app (Network, Advanced, Port Settings), and check CAMERA_RTSP_PORT"

    private func question(_ address: String) -> Command {
        var source = RTSPSource(url: address, user: camera.login, password: camera.password)
        source.timeout = Self.patience
        return StreamFacts.question(source)
    }

    private func failure(_ why: String, hint: String = switchOn) -> Finding {
        var finding = Finding.failed(
            "codec",
            Failure(
                .camera, code: "camera-stream", "no video from", redactedURL(addresses[0]), why: why, hint: hint))
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
