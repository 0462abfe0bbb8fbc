import SnapshotBase

/// What a camera sends, as ffprobe found it.
package struct StreamFacts: Equatable, Sendable {
    /// ffmpeg's name of the video's codec: `h264`, `hevc`, …
    package var video: String
    /// The same of the audio; nil where there is none.
    package var audio: String?
    /// In pixels; nil where ffprobe doesn't know.
    package var size: Size?

    package struct Size: Equatable, Sendable {
        package var width: Int
        package var height: Int
    }

    package init(video: String, audio: String?) {
        self.video = video
        self.audio = audio
    }

    /// How ffprobe's asking ended.
    package enum Answer: Equatable, Sendable {
        case found(StreamFacts)
        /// The camera wants other credentials.
        case refused
        /// It can't be reached at all.
        case unreachable
        /// It is there, but not with this path.
        case noSuchStream
    }

    /// Asks what is behind an address, and answers as JSON.
    /// - Parameter listens: for two seconds, so that audio that is only announced doesn't count.
    package static func question(_ source: RTSPSource, listens: Bool = false) -> Command {
        let entries = "stream=codec_type,codec_name,width,height" + (listens ? ",nb_read_packets" : "")
        let form = ["-show_entries", entries, "-show_error", "-of", "json"]
        let listening = listens ? ["-count_packets", "-read_intervals", "%+2"] : []
        var command = Command("ffprobe", ["-hide_banner", "-loglevel", "error"] + RTSPSource.input + listening + form)
        command.inputs = [RTSPSource.descriptor: source.list]
        return command
    }

    /// - Parameter output: what ffprobe wrote; may be anything.
    package static func answer(_ output: [UInt8]) -> Answer {
        guard let report = JSON(output), case .object = report else { return .unreachable }
        if let error = report["error"] {
            return error["code"]?.integer.map(answer(toError:)) ?? .unreachable
        }
        guard case .array(let streams) = report["streams"] ?? .array([]) else { return .unreachable }
        func first(_ type: String) -> JSON? { streams.first { $0["codec_type"]?.string == type } }
        guard let video = first("video"), let codec = name(of: video) else { return .noSuchStream }
        // What nothing came of has no number.
        let packets = "nb_read_packets"
        let audio = first("audio").flatMap { $0[packets] == nil && video[packets] != nil ? nil : name(of: $0) }
        var facts = StreamFacts(video: codec, audio: audio)
        if let width = video["width"]?.integer, let height = video["height"]?.integer, width > 0, height > 0 {
            facts.size = Size(width: width, height: height)
        }
        return .found(facts)
    }

    /// A word, as all of ffmpeg's names are; nil for anything else.
    private static func name(of stream: JSON) -> String? {
        guard let name = stream["codec_name"]?.string, !name.isEmpty,
            name.utf8.allSatisfy({ $0 > UInt8(ascii: " ") && $0 < 0x7F })
        else { return nil }
        return name
    }

    private static func answer(toError code: Int) -> Answer {
        switch code {
        case tag("401"), tag("403"): .refused
        case tag("400"), tag("404"), tag("4XX"): .noSuchStream
        // No connection, or nothing that makes sense came over it.
        default: .unreachable
        }
    }

    /// ffmpeg's error number for an answer with that status.
    private static func tag(_ status: String) -> Int {
        -([0xF8] + status.utf8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    }
}
