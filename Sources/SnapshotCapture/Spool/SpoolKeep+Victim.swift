import SnapshotSettings

extension SpoolKeep {
    /// Which of the entries that wait, oldest first, goes next; there is at least one.
    ///
    /// A thinned spool gives up the entry whose neighbours are closest to each other for its age. With pictures at one
    /// distance that is every second one, from the oldest on, and again among those that are twice as old as others: what is
    /// twice as old has half as many.
    /// - Parameter newest: the number of the picture that needs the room; numbers count captures, and so tell time.
    func victim(among waiting: [SpoolName], newest: Int) -> Int {
        guard self == .thin, waiting.count > 2 else { return 0 }
        let numbers = waiting.map { Double($0.number) } + [Double(newest)]
        func gap(_ index: Int) -> Double {
            (numbers[index + 1] - numbers[index - 1]) / max(1, Double(newest) - numbers[index])
        }
        // The oldest stays: it tells when it began.
        return (1..<waiting.count).min { gap($0) < gap($1) } ?? 0
    }
}
