import FoundationEssentials
import SnapshotBase

/// What a camera sends, as ffprobe found it.
package struct StreamFacts: Equatable, Sendable {
    /// ffmpeg's name of the video's codec: `h264`, `hevc`, …
    package var video: String
    /// The same of the audio; nil where there is none.
    package var audio: String?

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
    package static func question(_ source: RTSPSource) -> Command {
        let entries = ["-show_entries", "stream=codec_type,codec_name", "-show_error", "-of", "json"]
        var command = Command("ffprobe", ["-hide_banner", "-loglevel", "error"] + RTSPSource.input + entries)
        command.inputs = [RTSPSource.descriptor: source.list]
        return command
    }

    /// - Parameter output: what ffprobe wrote; may be anything.
    package static func answer(_ output: [UInt8]) -> Answer {
        guard let report = try? JSONDecoder().decode(Report.self, from: Data(output)) else { return .unreachable }
        if let error = report.error { return answer(toError: error.code) }
        let streams = report.streams ?? []
        func codec(_ type: String) -> String? { streams.first { $0.codecType == type }?.codecName }
        guard let video = codec("video") else { return .noSuchStream }
        return .found(StreamFacts(video: video, audio: codec("audio")))
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

    private struct Report: Decodable {
        struct Stream: Decodable {
            var codecType: String?
            var codecName: String?

            private enum CodingKeys: String, CodingKey {
                case codecType = "codec_type"
                case codecName = "codec_name"
            }
        }
        struct Failure: Decodable { var code: Int }

        var streams: [Stream]?
        var error: Failure?
    }
}
