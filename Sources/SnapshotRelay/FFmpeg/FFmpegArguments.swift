import SnapshotBase
import SnapshotCore

/// ffmpeg's arguments for the whole relay: the video copied, several outputs from one input, each behind a queue of its
/// own so that one that fails or hangs doesn't hold up the others.
package struct FFmpegArguments: Sendable {
    package static let progressDescriptor: Int32 = 4

    /// Where an attempt's outputs go.
    package struct Outputs: Sendable {
        /// The relay's own end of the push.
        package var pushURL: String?
        /// For HLS: ffmpeg's own list, the segments' folder, and the name of the fMP4 initialisation.
        package var hls: (list: String, directory: String, initialisation: String)?
        /// For recordings: the folder in which segments are written.
        package var recordDirectory: String?
        /// MPEG-TS to standard output.
        package var pipes = false

        package init() {}
    }

    package let list: [String]

    package init(_ facts: StreamFacts, _ outputs: Outputs, plan: RelayPlan) {
        let isHEVC = facts.video == "hevc"
        var slaves: [String] = []
        if let hls = outputs.hls {
            slaves.append(
                Self.slave("hls", Self.hls(hls.directory, hls.initialisation, plan, fragmented: isHEVC), hls.list))
        }
        if let directory = outputs.recordDirectory {
            slaves.append(Self.slave("segment", Self.recording(plan), Self.doubled(directory) + "/%d.mp4"))
        }
        if let url = outputs.pushURL { slaves.append(Self.slave("rtsp", [("rtsp_transport", "tcp")], url)) }
        if outputs.pipes { slaves.append(Self.slave("mpegts", [], "pipe:1")) }

        // One statement a group: as a single expression this takes the Swift 6.2 compiler minutes.
        var list = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"]
        list += ["-progress", "pipe:\(Self.progressDescriptor)", "-stats_period", "1"]
        list += RTSPSource.input + ["-map", "0:v:0"]
        list += Self.audio(facts.audio, plan.audio)
        list += ["-c:v", "copy"]
        if isHEVC { list += ["-tag:v", "hvc1"] }
        list += ["-flags", "+global_header", "-max_interleave_delta", Self.patience]
        list += ["-f", "tee", "-use_fifo", "1"]
        list += ["-fifo_options", Self.queue + ":max_interleave_delta=" + Self.patience]
        list.append(slaves.joined(separator: "|"))
        self.list = list
    }

    /// A thousand packets are 15 seconds or more: a slow card may take that long to sync.
    private static let queue =
        "queue_size=1000:drop_pkts_on_overflow=1:attempt_recovery=1:recovery_wait_time=1:recover_any_error=1"
        + ":restart_with_keyframe=1"

    /// How long video waits for audio that doesn't come, in microseconds; ffmpeg's own ten seconds count twice, and all
    /// that waits is lost when it ends.
    private static let patience = "1000000"

    /// Whether audio is encoded anew: it is neither left out nor AAC.
    static func encodes(_ codec: String?, _ wanted: RelayPlan.Audio) -> Bool {
        wanted == .auto && codec.map { $0 != "aac" } ?? false
    }

    /// AAC as it is; what mp4 and TS can't hold becomes AAC; no audio where there is none.
    private static func audio(_ codec: String?, _ wanted: RelayPlan.Audio) -> [String] {
        guard let codec, wanted == .auto else { return ["-an"] }
        return ["-map", "0:a:0"] + (encodes(codec, wanted) ? ["-c:a", "aac", "-b:a", "32k"] : ["-c:a", "copy"])
    }

    private static func hls(
        _ directory: String, _ initialisation: String, _ plan: RelayPlan, fragmented: Bool
    ) -> [(String, String)] {
        // Numbered from the time in microseconds, no name ever comes twice, not even after a failed disk.
        var options = [
            ("hls_time", plan.hlsSegmentTime.secondsText), ("hls_list_size", "\(HLSFolder.listSize)"),
            ("hls_start_number_source", "epoch_us"),
            ("hls_flags", "omit_endlist+temp_file+program_date_time"),
            ("hls_segment_filename", doubled(directory) + "/%d." + (fragmented ? "m4s" : "ts")),
        ]
        if fragmented {
            options += [("hls_segment_type", "fmp4"), ("hls_fmp4_init_filename", initialisation)]
        }
        return options
    }

    private static func recording(_ plan: RelayPlan) -> [(String, String)] {
        [
            ("segment_time", plan.segmentTime.secondsText), ("segment_format", "mp4"),
            (
                "segment_format_options",
                "movflags=+frag_keyframe+empty_moov+default_base_moof:flush_packets=1"
            ), ("reset_timestamps", "1"),
        ]
    }

    private static func slave(_ format: String, _ options: [(String, String)], _ target: String) -> String {
        let all = [("f", format), ("onfail", "ignore")] + options
        let list = all.map { "\($0)=\(escaped($1, ":]"))" }.joined(separator: ":")
        // What stands between the brackets is read once more, after the slaves were told apart.
        return escaped("[\(list)]\(target)", "|")
    }

    /// A folder in front of a pattern.
    private static func doubled(_ directory: String) -> String {
        directory[...].cut(at: "%").joined(separator: "%%")
    }

    /// ffmpeg's escaping: a backslash before each special character, the backslash and the quote among them.
    private static func escaped(_ text: String, _ special: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if special.unicodeScalars.contains(scalar) || scalar == "\\" || scalar == "'" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}

extension Duration {
    /// Decimal seconds, as ffmpeg reads them.
    var secondsText: String { milliseconds % 1000 == 0 ? "\(milliseconds / 1000)" : "\(milliseconds)ms" }
}
