import SnapshotBase
import SnapshotKeys
import SnapshotState
import SnapshotStore

/// Where KEY_TEMPLATE gives several pictures the same key (`latest.jpg`), the newest picture is kept. A spooled picture
/// is overtaken, and removed instead of uploaded, once a later run has uploaded its own picture under the same key.
/// `Record.storedSpans` remembers when runs uploaded their own pictures, as [start, end, …] in milliseconds since 1970.
extension Run {
    /// The record keeps only the latest spans. A picture that was overtaken only in a span that it no longer has is
    /// uploaded.
    private static let mostSpans = 8
    /// How many keys `isOvertaken` computes at most for one span, so that a long span takes bounded time. A picture
    /// whose key isn't among them is uploaded.
    private static let mostKeys = 5000

    /// Notes that this run has uploaded its own picture, captured at `time`.
    mutating func noteStored(at time: Timestamp) {
        guard spool.figures.count > 0, settings.keyTemplate.keyLifetime != nil else {
            record.storedSpans = nil
            return
        }
        var spans = record.storedSpans ?? []
        // The last span goes on if the run before this one stored its picture, too; otherwise a new one begins.
        if isWhole(spans), record.outcome.result == .stored {
            spans[spans.count - 1] = Int(time.milliseconds)
        } else {
            spans += [Int(time.milliseconds), Int(time.milliseconds)]
        }
        record.storedSpans = spans.suffix(2 * Self.mostSpans)
    }

    private func isWhole(_ spans: [Int]) -> Bool { spans.count >= 2 && spans.count.isMultiple(of: 2) }

    /// Whether a newer picture is stored under the key of this spooled one.
    func isOvertaken(_ object: StoredObject) -> Bool {
        guard let spans = record.storedSpans, isWhole(spans), let lifetime = settings.keyTemplate.keyLifetime else {
            return false
        }
        func hasItsKey(_ time: Int) -> Bool {
            settings.keyTemplate.key(camera: object.camera, at: Timestamp(milliseconds: Int64(time))) == object.key
        }
        let taken = Int(object.capturedAt.milliseconds)
        return stride(from: 0, to: spans.count, by: 2).contains { index in
            let (start, end) = (max(spans[index], taken.adding(1)), spans[index + 1])
            guard start <= end else { return false }
            if hasItsKey(end) || spans[index] > taken && hasItsKey(spans[index]) { return true }
            // Inside a span every key got a picture, provided that a key lasts for at least two capture intervals.
            guard lifetime < Int64.max, lifetime >= 2 * Int64(settings.interval.milliseconds) else { return false }
            let most = min(end, start.adding(Int(lifetime).times(Self.mostKeys)))
            return stride(from: start, through: most, by: Int(lifetime)).contains(where: hasItsKey)
        }
    }
}

extension StoredObject {
    /// The object under the key that the present KEY_TEMPLATE gives it; nil where that is the key it has.
    func renamed(by template: KeyTemplate) -> StoredObject? {
        var copy = self
        copy.key = template.key(camera: camera, at: capturedAt)
        return copy.key == key ? nil : copy
    }
}
