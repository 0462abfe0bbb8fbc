import SnapshotBase

/// A bar chart of numbers in one line, scaled to the highest; a missing value is shown as `·`.
package func sparkline(_ values: [Int?]) -> String {
    let bars = Array("▁▂▃▄▅▆▇█")
    let highest = max(1, values.compactMap(\.self).max() ?? 1)
    return String(
        values.map { value in
            guard let value else { return "·" }
            return bars[min(max(0, value), highest) * (bars.count - 1) / highest]
        })
}

/// A line with a chart of the camera's and the store's latency in the last runs, oldest first, and the latest value of
/// each.
/// - Returns: nil if no run got a picture.
package func latencyLine(_ history: [Record]) -> String? {
    let runs = history.map(\.outcome).filter { $0.result != .none && $0.result != .skipped }.suffix(20)
    let parts = [
        ("camera", runs.map { $0.bytes == nil ? nil : $0.cameraMilliseconds }),
        ("store", runs.map { $0.result == .stored ? $0.storeMilliseconds : nil }),
    ].compactMap { name, values -> String? in
        guard let last = values.compactMap(\.self).last else { return nil }
        return "\(name) \(sparkline(values)) \(latency(Double(last)))"
    }
    return parts.isEmpty ? nil : "  latency     \(parts.joined(separator: ", "))"
}
