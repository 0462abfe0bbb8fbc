import SnapshotBase

/// Templates that make the same key again, such as `{camera}/latest.jpg` or one picture per hour of the day.
extension KeyTemplate {
    /// How long a key stays the same at least, in milliseconds; `Int64.max` for ever; nil where keys hold date and time
    /// to the second: none comes again, except in the hour that local time without `{offset}` has twice in autumn.
    package var keyLifetime: Int64? {
        if isDefault { return nil }
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
