import SnapshotBase

/// Figures of the last pictures, from which a frozen or covered camera is recognised.
package struct PictureHistory: JSONMapped, Equatable, Sendable {
    /// The digest of the last picture's scan data, and how many pictures in a row had it.
    package var scan = ""
    package var equal = 0
    /// The sizes of the last 32 pictures in bytes, oldest first.
    package var sizes: [Int] = []
    package var frozen = false
    package var covered = false
    package var others = JSONObject()

    package static let remembered = 32

    package init() {}

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("scan", &scan)
        fields.field("equal", &equal)
        fields.field("sizes", &sizes)
        fields.field("frozen", &frozen)
        fields.field("covered", &covered)
    }

    /// - Parameter frozenAfter: the number of equal pictures in a row that count as frozen; 0 disables this.
    package mutating func add(scan newScan: String, bytes: Int, frozenAfter: Int) {
        equal = newScan == scan ? equal + 1 : 1
        scan = newScan
        frozen = frozenAfter > 0 && equal >= frozenAfter
        // The median of fewer than eight sizes is not meaningful. The median keeps a covered camera recognised until
        // its small pictures are the majority.
        let median = sizes.count >= 8 ? sizes.sorted()[sizes.count / 2] : 0
        covered = bytes * 4 < median
        sizes.append(bytes)
        if sizes.count > Self.remembered { sizes.removeFirst(sizes.count - Self.remembered) }
    }
}

/// The sums of one hour, stored as five numbers: hours since 1970, captures, failures, uploads, total upload
/// milliseconds.
package struct Hour: JSONValue, Equatable, Sendable {
    package var hour: Int
    package var captures = 0
    package var failures = 0
    package var uploads = 0
    package var uploadMilliseconds = 0

    package static let kept = 48

    package init(hour: Int) { self.hour = hour }

    package init?(json: JSON) {
        guard let numbers = [Int](json: json), numbers.count >= 5 else { return nil }
        hour = numbers[0]
        captures = numbers[1]
        failures = numbers[2]
        uploads = numbers[3]
        uploadMilliseconds = numbers[4]
    }

    package var json: JSON { [hour, captures, failures, uploads, uploadMilliseconds].json }
}

extension Record {
    /// Adds one run to the current hour.
    package mutating func countHour(now: Now, captured: Bool, uploadMilliseconds: Int?) {
        let present = Int(now.wall.milliseconds / 3_600_000)
        noteDay(before: present)
        if hours.last?.hour != present { hours.append(Hour(hour: present)) }
        if hours.count > Hour.kept { hours.removeFirst(hours.count - Hour.kept) }
        let last = hours.count - 1
        hours[last].captures += captured ? 1 : 0
        hours[last].failures += captured && uploadMilliseconds != nil ? 0 : 1
        if let uploadMilliseconds {
            hours[last].uploads += 1
            hours[last].uploadMilliseconds += uploadMilliseconds
        }
    }
}
