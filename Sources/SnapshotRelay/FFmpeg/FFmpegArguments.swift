import SnapshotBase
import SnapshotMedia

/// ffmpeg's arguments for the relay: one input and several outputs, the video copied. Each output has a queue of its
/// own, so that one that fails or hangs doesn't delay the others.
package struct FFmpegArguments: Sendable {
    /// The descriptor to which ffmpeg writes its progress.
    package static let progressDescriptor: Int32 = 4

    /// The arguments, without the program's name.
    package let list: [String]
    /// The slaves' folders, by the number that each one's descriptor must have in ffmpeg.
    let folders: [Int32: FileHandle]
    /// Whether ffmpeg writes media to standard output.
    package let usesStandardOutput: Bool

    /// - Parameter hasRareKeyFrames: whether ffmpeg has to wait long for a key frame, which gives the video's size.
    package init(_ facts: StreamFacts, _ slaves: [FFmpegSlave], audio: RelayPlan.Audio, hasRareKeyFrames: Bool = false)
    {
        // One statement per group: as a single expression this takes the Swift 6.2 compiler minutes.
        var list = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"]
        list += ["-progress", "pipe:\(Self.progressDescriptor)", "-stats_period", "1"]
        if hasRareKeyFrames || facts.size == nil { list += RTSPSource.longAnalysis }
        list += RTSPSource.input + ["-map", "0:v:0"]
        list += Self.audio(facts.audio, audio)
        list += ["-c:v", "copy"]
        if facts.isHEVC { list += ["-tag:v", "hvc1"] }
        list += ["-flags", "+global_header", "-max_interleave_delta", Self.timeout]
        list += ["-f", "tee", "-use_fifo", "1"]
        list += ["-fifo_options", Self.queue + ":max_interleave_delta=" + Self.timeout]
        let numbered = zip((Self.progressDescriptor + 1)..., slaves)
        list.append(numbered.map { $1.argument(folder: $0) }.joined(separator: "|"))
        self.list = list
        folders = Dictionary(
            uniqueKeysWithValues: numbered.compactMap { number, slave in slave.folder.map { (number, $0.handle) } })
        usesStandardOutput = slaves.contains { $0.target == .standardOutput }
    }

    /// The queue of an output. Its thousand packets are 15 seconds or more, as long as a slow SD card may take to sync.
    private static let queue =
        "queue_size=1000:drop_pkts_on_overflow=1:attempt_recovery=1:recovery_wait_time=1:recover_any_error=1"
        + ":restart_with_keyframe=1"

    /// How long video waits for audio that doesn't arrive, in microseconds. ffmpeg's default of ten seconds applies
    /// in `tee` and again in each `fifo`, and all that waits is lost when ffmpeg ends.
    private static let timeout = "1000000"

    /// Whether audio is re-encoded: it is wanted, and isn't AAC.
    static func encodes(_ codec: String?, _ wanted: RelayPlan.Audio) -> Bool {
        wanted == .auto && codec.map { $0 != "aac" } ?? false
    }

    /// The audio arguments: AAC is copied, all else becomes AAC, since MP4 and MPEG-TS can't hold every codec.
    private static func audio(_ codec: String?, _ wanted: RelayPlan.Audio) -> [String] {
        guard let codec, wanted == .auto else { return ["-an"] }
        return ["-map", "0:a:0"] + (encodes(codec, wanted) ? ["-c:a", "aac", "-b:a", "32k"] : ["-c:a", "copy"])
    }
}
