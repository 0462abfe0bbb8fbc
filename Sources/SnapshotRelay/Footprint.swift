import Glibc
import SnapshotBase

/// Lets go of the code that was mapped so far: most of it was for starting only, while the relay runs for months. What is
/// used again comes back from the page cache; nothing is lost, since nobody can write there.
func releaseCode() {
    guard let maps = try? readFile("/proc/self/maps", limit: 1 << 20) else { return }
    // 7f0123456000-7f0123478000 r-xp 00001000 fe:00 1234 /usr/lib/libc.so.6
    for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") {
        let fields = line.split(separator: " ", maxSplits: 5)
        let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
        guard fields.count == 6, fields[1] == "r-xp", fields[5].contains("/"), ends.count == 2, ends[0] < ends[1]
        else { continue }
        madvise(UnsafeMutableRawPointer(bitPattern: ends[0]), Int(ends[1] - ends[0]), MADV_DONTNEED)
    }
}
