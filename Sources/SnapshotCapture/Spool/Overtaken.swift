import SnapshotBase
import SnapshotState
import SnapshotStore

/// Of pictures with one key the newest wins: one that waited is overtaken once a newer one was stored at once.
extension Run {
    private static let mostSpans = 8

    /// Notes that the present picture, captured at `time`, was stored at once.
    mutating func noteStored(at time: Timestamp) {
        guard spool.figures.count > 0, settings.keyTemplate.repetition != nil else {
            record.storedSpans = nil
            return
        }
        var spans = record.storedSpans ?? []
        // What the run before didn't store leaves a gap.
        if isWhole(spans), record.outcome.result == .stored {
            spans[spans.count - 1] = Int(time.milliseconds)
        } else {
            spans += [Int(time.milliseconds), Int(time.milliseconds)]
        }
        record.storedSpans = spans.suffix(2 * Self.mostSpans)
    }

    private func isWhole(_ spans: [Int]) -> Bool { spans.count >= 2 && spans.count.isMultiple(of: 2) }

    /// Whether a newer picture than this one, which waited, is stored under its key.
    func isOvertaken(_ object: StoredObject) -> Bool {
        guard let spans = record.storedSpans, isWhole(spans), let step = settings.keyTemplate.repetition else {
            return false
        }
        func isSame(_ time: Int) -> Bool {
            settings.keyTemplate.key(camera: object.camera, at: Timestamp(milliseconds: Int64(time))) == object.key
        }
        let taken = Int(object.capturedAt.milliseconds)
        return stride(from: 0, to: spans.count, by: 2).contains { index in
            let (start, end) = (max(spans[index], taken.adding(1)), spans[index + 1])
            guard start <= end else { return false }
            if isSame(end) || spans[index] > taken && isSame(spans[index]) { return true }
            // In between every key had its picture, if it stays for longer than a capture takes.
            guard step < Int64.max, step >= 2 * Int64(settings.interval.milliseconds) else { return false }
            let most = min(end, start.adding(Int(step).times(5000)))
            return stride(from: start, through: most, by: Int(step)).contains(where: isSame)
        }
    }
}

extension StoredObject {
    /// The object under the key that KEY_TEMPLATE gives it by now; nil where that is the one it has.
    func renamed(by template: KeyTemplate) -> StoredObject? {
        var copy = self
        copy.key = template.key(camera: camera, at: capturedAt)
        return copy.key == key ? nil : copy
    }
}
