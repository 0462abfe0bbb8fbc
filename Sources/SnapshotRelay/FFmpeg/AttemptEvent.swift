import SnapshotMedia

/// Where a camera's video is, and what is there.
struct Source {
    var address: String
    var facts: StreamFacts
}

extension Attempt {
    enum Event {
        /// It asks under the next address.
        case asking
        /// ffmpeg begins with that address and those facts.
        case connected(String, StreamFacts)
        case grew
        case ended(Supervisor.Trouble)
        /// Media comes from the camera, though nothing of it has been written yet.
        case receiving
    }
}
