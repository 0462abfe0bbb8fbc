import SnapshotBase
import SnapshotProcesses

/// The codecs and size of a camera's stream, as ffprobe reports them.
package struct StreamFacts: Equatable, Sendable {
    /// ffmpeg's name of the video's codec: `h264`, `hevc`, …
    package var video: String
    /// ffmpeg's name of the audio's codec; nil where there is none.
    package var audio: String?
    /// In pixels; nil where ffprobe doesn't report it.
    package var size: Size?

    package struct Size: Equatable, Sendable {
        package var width: Int
        package var height: Int
    }

    package init(video: String, audio: String?) {
        self.video = video
        self.audio = audio
    }

    /// The ffprobe command that reports a stream's codecs and size as JSON.
    /// - Parameter verifiesAudio: whether ffprobe reads the stream for two seconds, and audio counts only if some
    ///   arrives.
    package static func probe(
        _ source: RTSPSource, verifiesAudio: Bool = false, _ environment: Environment
    ) -> Command {
        let entries = "stream=codec_type,codec_name,width,height" + (verifiesAudio ? ",nb_read_packets" : "")
        let form = ["-show_entries", entries, "-show_error", "-of", "json"]
        let counting = verifiesAudio ? ["-count_packets", "-read_intervals", "%+2"] : []
        let arguments = ["-hide_banner", "-loglevel", "error"] + RTSPSource.input + counting + form
        var command = Command.ffprobe(arguments, environment)
        command.inputs = [RTSPSource.descriptor: source.list]
        return command
    }

    /// - Parameter output: ffprobe's standard output; untrusted.
    /// - Returns: nil where it reports no video.
    package init?(ffprobe output: [UInt8]) {
        guard let report = JSON(output), case .object = report, report["error"] == nil else { return nil }
        guard case .array(let streams) = report["streams"] ?? .array([]) else { return nil }
        func first(_ type: String) -> JSON? { streams.first { $0["codec_type"]?.string == type } }
        guard let video = first("video"), let codec = Self.name(of: video) else { return nil }
        // With `-count_packets`, a stream of which no packet has arrived has no `nb_read_packets`.
        let packets = "nb_read_packets"
        let audio = first("audio").flatMap { $0[packets] == nil && video[packets] != nil ? nil : Self.name(of: $0) }
        self.init(video: codec, audio: audio)
        if let width = video["width"]?.integer, let height = video["height"]?.integer, width > 0, height > 0 {
            size = Size(width: width, height: height)
        }
    }

    /// The codec's name; nil where it isn't a short ASCII word, as all of ffmpeg's are.
    private static func name(of stream: JSON) -> String? {
        guard let name = stream["codec_name"]?.string, (1...24).contains(name.utf8.count),
            name.utf8.allSatisfy({ $0 > UInt8(ascii: " ") && $0 < 0x7F })
        else { return nil }
        return name
    }
}
