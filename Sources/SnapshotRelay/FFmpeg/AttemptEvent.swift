import SnapshotMedia

/// A camera's stream: its URL and what it consists of.
struct Source {
    var address: String
    var facts: StreamFacts
}

extension Attempt {
    enum Event {
        /// ffprobe asks the next address.
        case asking
        /// ffmpeg starts, with that address and those facts.
        case connected(String, StreamFacts)
        case grew
        case ended(Supervisor.Trouble)
        /// Media arrives from the camera, and none of it has been written yet.
        case receiving
    }
}
