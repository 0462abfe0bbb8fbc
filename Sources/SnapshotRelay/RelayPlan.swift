import Glibc
import SnapshotBase
import SnapshotCore

/// What the relay is to do, read from the settings and checked before anything is touched.
package struct RelayPlan: Sendable {
    package enum Mode: String, CaseIterable, Sendable { case republish, hls, record, pipe }
    package enum Audio: String, CaseIterable, Sendable { case auto, none }

    /// In the order of `Mode`, each once.
    package var modes: [Mode]
    package var camera: CameraSettings
    /// Addresses to try, without user and password, the likeliest first.
    package var candidates: [String]
    package var audio: Audio
    package var stallTimeout: Duration
    package var hlsSegmentTime: Duration
    package var segmentTime: Duration
    package var outputDirectory: String
    /// Whether the web front may read streams and recordings.
    package var showsPictures: Bool
    /// Where to push; set with republish.
    package var push: PushDestination?
    /// Where to post; set with pipe.
    package var pipe: PipeDestination?
    package var retention: RecordRetention
    /// Where finished segments go; nil unless RECORD_UPLOAD.
    package var upload: SegmentUploadSettings?
    package var statePath: String

    package init(_ settings: Settings) throws(Failure) {
        modes = try Self.modes(settings)
        camera = try CameraSettings(settings)
        candidates = try Self.candidates(camera, settings)
        audio = try settings.choice(.streamAudio, default: .auto)
        stallTimeout =
            try settings.duration(.stallTimeout, default: .seconds(20), in: .seconds(2)...(.seconds(600)))
            ?? .seconds(20)
        hlsSegmentTime =
            try settings.duration(.hlsSegmentTime, default: .seconds(4), in: .seconds(1)...(.seconds(60)))
            ?? .seconds(4)
        segmentTime =
            try settings.duration(.segmentTime, default: .seconds(60), in: .seconds(1)...(.seconds(86400)))
            ?? .seconds(60)
        let directory = try settings.path(.outputDirectory) ?? "stream_output"
        // To ffmpeg a name with a colon is a protocol, unless it is seen to be a path.
        outputDirectory = ["/", "./", "../"].contains(where: directory.hasPrefix) ? directory : "./" + directory
        showsPictures = try settings.bool(.webImages, default: false)
        if modes.contains(.republish) { push = try PushDestination(settings) }
        if modes.contains(.pipe) { pipe = try PipeDestination(settings) }
        let uploads = try settings.bool(.recordUpload, default: false)
        if uploads, modes.contains(.record) { upload = try SegmentUploadSettings(settings) }
        retention = try RecordRetention(settings, uploads: upload != nil)
        statePath = try stateDirectory(settings)
    }

    package var hlsDirectory: String { outputDirectory + "/hls" }
    package var recordDirectory: String { outputDirectory + "/record" }

    /// The camera's stream at `address`.
    /// - Parameter digest: whether the camera has offered Digest to this relay.
    package func stream(_ address: String, digest: DigestMemory) -> PullGateway.Stream {
        var stream = PullGateway.Stream(camera, url: address) { [camera, statePath] host, deadline throws(Failure) in
            try CameraTrust(camera, statePath: statePath).trust(for: host, deadline: deadline)
        }
        stream.pace = .milliseconds(100)
        stream.digest = digest
        return stream
    }

    /// What a remembered address belongs to.
    package var place: String { candidates.joined(separator: " ") }

    private static func modes(_ settings: Settings) throws(Failure) -> [Mode] {
        guard let value = try settings.value(.streamMode) else {
            throw .settings(
                "STREAM_MODE is not set", why: "the relay needs to know what to do with the video",
                hint: "set STREAM_MODE=hls, or several of republish, hls, record and pipe with commas between")
        }
        let names = value.text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
        let modes = names.compactMap { Mode(rawValue: $0.lowercased()) }
        guard modes.count == names.count else {
            throw settings.refusal(
                .streamMode, value, rule: "must be republish, hls, record or pipe, or several with commas between")
        }
        return Mode.allCases.filter(modes.contains)
    }

    /// Reolink's paths say the codec, which only the camera knows; newer models have one for both.
    private static func candidates(_ camera: CameraSettings, _ settings: Settings) throws(Failure) -> [String] {
        switch camera.source {
        case .rtsp(let url): return [url]
        case .reolink(let host):
            let port = try settings.integer(.cameraRTSPPort, default: 554, in: 1...65535) ?? 554
            let stream = try settings.choice(.streamSource, default: CameraSettings.Stream.main)
            let number = (camera.channel < 9 ? "0" : "") + "\(camera.channel + 1)"
            return ["h264Preview", "h265Preview", "Preview"].map { name in
                "rtsp://\(withoutPort(host)):\(port)/\(name)_\(number)_\(stream.rawValue)"
            }
        case .http, .file, .v4l2:
            throw .settings(
                "refused", "CAMERA_URL", why: "the relay needs a Reolink camera or an rtsp:// address",
                hint: "set CAMERA_IP, or CAMERA_URL=rtsp://…")
        }
    }

    private static func withoutPort(_ host: String) -> Substring {
        if host.hasSuffix("]") { return host[...] }
        return host[..<(host.lastIndex(of: ":") ?? host.endIndex)]
    }
}
