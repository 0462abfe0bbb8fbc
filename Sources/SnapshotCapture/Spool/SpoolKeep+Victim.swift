import SnapshotSettings

extension SpoolKeep {
    /// The index in `waiting` (oldest first, at least one entry) of the entry to drop next.
    ///
    /// `thin` drops the entry whose two neighbours are closest to each other in relation to its age. Of pictures at
    /// equal distances it drops every second one, from the oldest on, and then again: entries twice as old are half as
    /// dense.
    /// - Parameter newest: the number of the picture that needs the room. Numbers count captures and so stand for time.
    func victim(among waiting: [SpoolName], newest: Int) -> Int {
        guard self == .thin, waiting.count > 2 else { return 0 }
        let numbers = waiting.map { Double($0.number) } + [Double(newest)]
        func gap(_ index: Int) -> Double {
            (numbers[index + 1] - numbers[index - 1]) / max(1, Double(newest) - numbers[index])
        }
        // The oldest entry stays: it shows when the outage began.
        return (1..<waiting.count).min { gap($0) < gap($1) } ?? 0
    }
}
