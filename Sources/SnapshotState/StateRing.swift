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
    /// Unless all records were asked for, slots older than the newest valid record are checked only for their `seq`.
    let damaged: [Int]
    /// Whether the file has exactly the size of the ring.
    let isWhole: Bool
    /// Whether the file is smaller than the ring, so that the newest records may be missing.
    let isShort: Bool

    /// - Parameter all: whether to decode every slot for `history`, or only the newest.
    package init(reading directory: String, all: Bool = false) {
        do throws(SystemError) {
            let file = try openFile(directory + "/" + Self.fileName, O_RDONLY)
            var part = (number: -1, bytes: [UInt8]())
            try self.init(size: Int(file.status().st_size), all: all) { index throws(SystemError) in
                let (number, position) = index.quotientAndRemainder(dividingBy: Self.slotsAtOnce)
                if part.number != number { part = (number, try Self.read(part: number, of: file)) }
                return part.bytes.dropFirst(position * Slot.size).prefix(Slot.size)
            }
        } catch {
            self.init(noFile: error)
        }
    }

    /// How many slots are read at once: the whole ring would take 256 KB of memory in each run.
    private static let slotsAtOnce = 16

    /// The bytes of that part of the slots, fewer where the file ends.
    private static func read(part number: Int, of file: FileHandle) throws(SystemError) -> [UInt8] {
        let size = slotsAtOnce * Slot.size
        var got = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            got = retrying { pread(file.descriptor, buffer.baseAddress, size, off_t(number * size)) }
            count = max(0, got)
        }
        guard got >= 0 else { throw SystemError("read") }
        return bytes
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
        self.init(size: bytes.count, all: all) { bytes[($0 * Slot.size)..<(($0 + 1) * Slot.size)] }
    }

    /// - Parameter slot: returns the bytes of a slot; called only with indices of slots that lie wholly in `size`.
    private init<Failure>(size: Int, all: Bool, slot: (Int) throws(Failure) -> ArraySlice<UInt8>) throws(Failure) {
        var candidates: [(seq: UInt64, index: Int)] = []
        var damaged: [Int] = []
        for index in 0..<min(Self.slots, size / Slot.size) {
            let bytes = try slot(index)
            if let seq = Slot.sequence(of: bytes), seq > 0 {
                candidates.append((seq, index))
            } else if !Slot.isBlank(bytes) {
                damaged.append(index)
            }
        }
        var records: [Record] = []
        while all || records.isEmpty,
            let newest = candidates.indices.max(by: { candidates[$0].seq < candidates[$1].seq })
        {
            let index = candidates.remove(at: newest).index
            if let record = Slot.decode(try slot(index)) {
                records.append(record)
            } else {
                damaged.append(index)
            }
        }
        history = records.reversed()
        self.damaged = damaged
        isWhole = size == Self.slots * Slot.size
        isShort = size < Self.slots * Slot.size
        if let newest = records.first {
            content = .record(newest)
        } else if isWhole, damaged.isEmpty {
            content = .neverRan
        } else {
            content = .unreadable(size == 0 ? "the file is empty" : "no record in it is valid")
        }
    }

    /// The slot for record `seq`.
    static func index(of seq: UInt64) -> Int { Int((seq - 1) % UInt64(slots)) }
}
