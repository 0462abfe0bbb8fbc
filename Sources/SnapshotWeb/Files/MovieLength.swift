import Glibc
import SnapshotBase

/// The playing time of an MP4 recording. It stands in the movie header at the file's beginning, but not in the relay's
/// fragmented files: there it follows from the fragment index (`mfra`) at the end. No more of the file is read.
struct MovieLength {
    private let read: (Int, Int) -> [UInt8]
    private let size: Int

    private static let headSize = 4096
    private static let largestIndex = 65536

    /// - Parameter read: returns at most `count` bytes from `offset` on.
    init(size: Int, read: @escaping (_ offset: Int, _ count: Int) -> [UInt8]) {
        (self.size, self.read) = (size, read)
    }

    init(_ file: FileHandle, size: Int) {
        self.init(size: size) { offset, count in
            // All threads share one empty array, and `unsafeUninitializedCapacity` would write the count into it.
            guard count > 0 else { return [] }
            return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                filled = max(0, retrying { pread(file.descriptor, buffer.baseAddress, count, off_t(offset)) })
            }
        }
    }

    /// The playing time in seconds; nil where neither the header nor the index gives it.
    var seconds: Double? {
        let head = read(0, min(size, Self.headSize))[...]
        guard let movie = Self.boxes(head).first(where: { $0.type == "moov" })?.content else { return nil }
        if let known = Self.boxes(movie).first(where: { $0.type == "mvhd" }).flatMap({ Self.length($0.content) }) {
            return known
        }
        guard let track = Self.boxes(movie).first(where: { $0.type == "trak" })?.content,
            let media = Self.boxes(track).first(where: { $0.type == "mdia" })?.content,
            let header = Self.boxes(media).first(where: { $0.type == "mdhd" })?.content,
            let scale = Self.number(header, at: header.first == 1 ? 20 : 12, bytes: 4), scale > 0,
            let ticks = ticksOfFragments
        else { return nil }
        return Double(ticks) / Double(scale)
    }

    /// The playing time by the fragment index, in units of the track's time scale: from the first fragment's begin to
    /// the last one's, plus the average length of a fragment.
    private var ticksOfFragments: UInt64? {
        let tail = read(max(0, size - 16), 16)[...]
        guard let length = Self.number(tail, at: 12, bytes: 4), (16...UInt64(Self.largestIndex)).contains(length),
            Int(length) <= size
        else { return nil }
        let index = read(size - Int(length), Int(length))[...]
        guard let outer = Self.boxes(index).first, outer.type == "mfra",
            let table = Self.boxes(outer.content).first(where: { $0.type == "tfra" })?.content,
            let lengths = Self.number(table, at: 8, bytes: 4), let count = Self.number(table, at: 12, bytes: 4),
            count > 1
        else { return nil }
        let width = table.first == 1 ? 8 : 4
        // An entry is a time, an offset and three numbers. For each number `lengths` has two bits: its width in bytes,
        // minus one.
        let widths: [UInt64] = [lengths >> 4 & 3, lengths >> 2 & 3, lengths & 3]
        let entry = 2 * width + Int(widths.reduce(3, +))
        guard count <= UInt64(table.count / entry),
            let last = Self.number(table, at: 16 + Int(count - 1) * entry, bytes: width), last < 1 << 53,
            let first = Self.number(table, at: 16, bytes: width), first <= last
        else { return nil }
        return last - first + (last - first) / (count - 1)
    }

    /// The duration in seconds that a movie header (`mvhd`) gives; nil where it is zero or unknown.
    private static func length(_ header: ArraySlice<UInt8>) -> Double? {
        let isLong = header.first == 1
        guard let scale = number(header, at: isLong ? 20 : 12, bytes: 4), scale > 0,
            let ticks = number(header, at: isLong ? 24 : 16, bytes: isLong ? 8 : 4), ticks > 0,
            ticks != (isLong ? UInt64.max : UInt64(UInt32.max))
        else { return nil }
        return Double(ticks) / Double(scale)
    }

    /// The MP4 boxes at the top level of `bytes`; the last one may be cut short.
    private static func boxes(_ bytes: ArraySlice<UInt8>) -> [(type: String, content: ArraySlice<UInt8>)] {
        var found: [(String, ArraySlice<UInt8>)] = []
        var rest = bytes
        while let length = number(rest, at: 0, bytes: 4), length >= 8, rest.count >= 8 {
            let box = rest.prefix(Int(length))
            found.append((String(decoding: box.dropFirst(4).prefix(4), as: UTF8.self), box.dropFirst(8)))
            rest = rest.dropFirst(Int(length))
        }
        return found
    }

    private static func number(_ bytes: ArraySlice<UInt8>, at offset: Int, bytes count: Int) -> UInt64? {
        guard offset >= 0, offset <= bytes.count - count else { return nil }
        return bytes.dropFirst(offset).prefix(count).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
