import SnapshotMedia

/// A camera's stream: its URL, its codecs and its size.
struct StreamInfo {
    var address: String
    var facts: StreamFacts
}

extension Attempt {
    /// What an attempt begins with: what is known of the camera, and what earlier attempts have shown.
    struct Start {
        /// The camera's possible addresses, in the order in which they are tried.
        let addresses: [String]
        /// Whether the camera has offered Digest to this relay.
        let digest: OfferedDigest
        /// Whether audio counts only once ffprobe has received some.
        let verifiesAudio: Bool
        /// The stream that the last attempt has found, with which ffprobe is skipped; nil where ffprobe has to look.
        let known: StreamInfo?
        /// Whether the attempt ends when the video's size or encoding changes.
        let watchesFormat: Bool
    }

    enum Event {
        /// ffprobe tries the next address.
        case probing
        /// ffmpeg was started on the video that ffprobe has found, in this attempt or in the last one (`Start.known`).
        case connected(String, StreamFacts)
        /// ffmpeg has written more media.
        case grew
        case ended(Supervisor.Trouble)
        /// Media arrives from the camera; `grew` says whether any was written.
        case receiving
    }
}
