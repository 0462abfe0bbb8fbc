import SnapshotBase

/// Keys that come again, as `{camera}/latest.jpg` and rings of hours have them.
extension KeyTemplate {
    /// How many milliseconds a key stays the same, `Int64.max` for one that always does; nil where none comes twice.
    package var repetition: Int64? {
        if isUsual { return nil }
        let names = parts.compactMap { part -> String? in
            guard case .field(let name) = part else { return nil }
            return name.hasPrefix("local_") ? String(name.dropFirst(6)) : name
        }
        let isWhole = ["yyyy", "MM", "dd", "HH", "mm", "ss"].allSatisfy { names.contains($0) }
        guard !isWhole, !names.contains("timestamp") else { return nil }
        let steps: [(String, Int64)] = [("ss", 1000), ("mm", 60_000), ("HH", 3_600_000), ("dd", 86_400_000)]
        if let step = steps.first(where: { names.contains($0.0) }) { return step.1 }
        return names.contains("MM") || names.contains("yyyy") ? 28 * 86_400_000 : .max
    }
}
