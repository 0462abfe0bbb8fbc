import CLinux
import Glibc
import SnapshotBase

/// One heap for all threads, before the first of them: each would get one of its own, and keep what it once needed for a
/// session that is long over.
func shareHeap() { shim_share_heap() }

/// Lets go of what starting took, while the relay runs for months: of freed memory, and of the code that was mapped so far.
/// What is used again comes back from the page cache; nothing is lost, since nobody can write there.
func releaseMemory() {
    shim_trim_heap()
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
