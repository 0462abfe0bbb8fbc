import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotMedia
import SnapshotProcesses
import SnapshotSettings

/// Checks the camera's video, and ffmpeg.
struct StreamCheck {
    let camera: CameraSettings
    /// Addresses to try, the likeliest first.
    let addresses: [String]
    /// Whether the relay needs the video.
    let isNeeded: Bool
    let trust: CameraTrust

    /// How long the camera may take for one response.
    private static let timeout = Duration.seconds(3)

    private var environment: Environment { camera.context.environment }

    /// The finding about the video's codec; nil where the camera has no video.
    func codec(deadline: Deadline) -> Finding? {
        guard !addresses.isEmpty else { return nil }
        do throws(Failure) { try Command.ffprobe([], environment).checkInstalled() } catch {
            return .skipped("codec", "ffprobe isn't installed")
        }
        var why = "no answer in time"
        for address in addresses where !deadline.hasPassed {
            do throws(Failure) {
                guard let facts = try facts(at: address, deadline) else { break }
                let size = facts.size.map { " \($0.width)×\($0.height)" } ?? ""
                return .passed(
                    "codec", "\(facts.video)\(size), at \(redactedURL(address))",
                    facts: ["codec": .string(facts.video), "address": .string(redactedURL(address))])
            } catch {
                guard error.code == .camera(.stream) else { return failure(reason(of: error), hint: hint(error)) }
                why = "it has no such stream"
            }
        }
        return failure(why)
    }

    /// What ffprobe reports for one address; nil where the time was too short.
    private func facts(at address: String, _ deadline: Deadline) throws(Failure) -> StreamFacts? {
        let known = try HostAndPort(tlsURL: address).map { host throws(Failure) in
            try trust.trust(for: host, deadline: deadline)
        }
        var stream = PullGateway.Stream(camera, url: address) { _, _ in known ?? .authorities(file: nil) }
        stream.timeout = min(Self.timeout, deadline.left)
        let gateway = try PullGateway(stream)
        defer { gateway.stop(grace: Self.timeout) }
        let result = try Child.run(
            StreamFacts.probe(gateway.source, environment), outputLimit: 65536, deadline: deadline)
        if let failure = gateway.failure { throw failure }
        guard !result.isTimedOut else { return nil }
        if let facts = StreamFacts(ffprobe: result.output) { return facts }
        throw Failure(.camera(.stream), "no video from camera", redactedURL(address), why: "there is none")
    }

    private func reason(of failure: Failure) -> String {
        if failure.code == .camera(.credentials) { return "it refuses the login" }
        if Self.unreached.contains(failure.code) { return "it can't be reached" }
        return failure.code == .camera(.silent) ? "no answer in time" : failure.why
    }

    private func hint(_ failure: Failure) -> String {
        if failure.code == .camera(.credentials) { return "check CAMERA_USERNAME and CAMERA_PASSWORD" }
        let isAway = Self.unreached.union([.camera(.silent), .camera(.lost)]).contains(failure.code)
        return isAway ? Self.switchOn : failure.hint ?? Self.switchOn
    }

    private static let unreached: Set<Failure.Code> = [.camera(.unreachable), .camera(.unresolved)]

    private static let switchOn =
        "switch RTSP on in the camera's app (Network, Advanced, Port Settings), and check CAMERA_RTSP_PORT"

    private func failure(_ why: String, hint: String = switchOn) -> Finding {
        var finding = Finding.failed(
            "codec",
            Failure(
                .camera(.stream), "no video from camera", redactedURL(addresses[0]), why: why, hint: hint))
        finding.isNecessary = isNeeded
        if !isNeeded { finding.text += "; only the relay needs it" }
        return finding
    }

    /// The finding about ffmpeg and its version. The relay needs it, and some cameras do.
    static func ffmpeg(isNeeded: Bool, deadline: Deadline, _ environment: Environment) -> Finding {
        let result: ChildResult
        do throws(Failure) {
            result = try Child.run(
                Command.ffmpeg(["-version"], environment), outputLimit: 65536, deadline: deadline)
        } catch {
            if isNeeded { return .failed("ffmpeg", error) }
            guard case .missing = error.code else { return .skipped("ffmpeg", error.description) }
            return .skipped(
                "ffmpeg", "not installed; only video and some cameras need it", hint: "sudo apt install ffmpeg")
        }
        let words = String(decoding: result.output, as: UTF8.self).split(separator: " ", maxSplits: 3)
        let version = words.count > 2 && words[1] == "version" ? String(words[2]) : "of an unknown version"
        return .passed("ffmpeg", version, facts: ["version": .string(version)])
    }
}
