import SnapshotSettings

extension SpoolKeep {
    /// The index in `waiting` (oldest first, at least one entry) of the entry to drop next; `newest` is the number of
    /// the picture that needs the room. `thin` drops the entry whose two neighbours are closest to each other in
    /// relation to its age, so that entries twice as old are half as dense.
    func victim(among waiting: [SpoolName], newest: Int) -> Int {
        guard self == .thin, waiting.count > 2 else { return 0 }
        // Numbers count captures, and so stand for time.
        let numbers = waiting.map { Double($0.number) } + [Double(newest)]
        func gap(_ index: Int) -> Double {
            (numbers[index + 1] - numbers[index - 1]) / max(1, Double(newest) - numbers[index])
        }
        // The oldest entry stays: it shows when the outage began.
        return (1..<waiting.count).min { gap($0) < gap($1) } ?? 0
    }
}
