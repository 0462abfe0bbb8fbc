import Glibc
import SnapshotBase

/// `state.jsonl`, a ring of 64 slots; the record is the valid one with the highest `seq`. Readers need no lock: a slot
/// that is being written fails its checksum, so the one before it is used.
package struct StateRing: Sendable {
    package static let slots = 64
    static let fileName = "state.jsonl"

    /// The content of `state.jsonl`.
    package enum Content: Sendable {
        case neverRan
        case record(Record)
        /// The file exists but contains no valid record; the text says why.
        case unreadable(String)
    }

    package let content: Content
    /// All valid records, oldest first, if they were asked for; otherwise only the newest.
    package let history: [Record]
    /// The indices of the slots that hold neither a valid record nor blanks, e.g. after a power cut during a write.
    let damaged: [Int]
    /// Whether the file has exactly the size of the ring.
    let isWhole: Bool
    /// Whether the file is smaller than the ring, so that the newest records may be missing.
    let isShort: Bool

    /// - Parameter all: whether to decode every slot for `history`, or only the newest.
    package init(reading directory: String, all: Bool = false) {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try readFile(directory + "/" + Self.fileName, limit: Self.slots * Slot.size + 1)
        } catch {
            self.init(noFile: error)
            return
        }
        self.init(bytes: bytes, all: all)
    }

    private init(noFile error: SystemError) {
        content = error.number == ENOENT ? .neverRan : .unreadable("\(error)")
        history = []
        damaged = []
        isWhole = false
        isShort = false
    }

    /// - Parameter bytes: the content of the file, possibly invalid.
    init(bytes: [UInt8], all: Bool) {
        var candidates: [(seq: UInt64, index: Int)] = []
        var damaged: [Int] = []
        for index in 0..<min(Self.slots, bytes.count / Slot.size) {
            let slot = bytes[(index * Slot.size)..<((index + 1) * Slot.size)]
            if let seq = Slot.sequence(of: slot), seq > 0 {
                candidates.append((seq, index))
            } else if !Slot.isBlank(slot) {
                damaged.append(index)
            }
        }
        var records: [Record] = []
        while all || records.isEmpty,
            let newest = candidates.indices.max(by: { candidates[$0].seq < candidates[$1].seq })
        {
            let index = candidates.remove(at: newest).index
            if let record = Slot.decode(bytes[(index * Slot.size)..<((index + 1) * Slot.size)]) {
                records.append(record)
            } else {
                damaged.append(index)
            }
        }
        history = records.reversed()
        self.damaged = damaged
        isWhole = bytes.count == Self.slots * Slot.size
        isShort = bytes.count < Self.slots * Slot.size
        if let newest = records.first {
            content = .record(newest)
        } else if isWhole, damaged.isEmpty {
            content = .neverRan
        } else {
            content = .unreadable(bytes.isEmpty ? "the file is empty" : "no record in it is valid")
        }
    }

    /// The slot for record `seq`.
    static func index(of seq: UInt64) -> Int { Int((seq - 1) % UInt64(slots)) }
}
