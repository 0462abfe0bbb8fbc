import CLinux
import Glibc
import SnapshotBase

/// Makes all threads share one heap; call it before the first of them. By default each thread gets an arena of its own,
/// which keeps its largest size for ever.
func shareHeap() { shim_share_heap() }

/// Returns to the system what only the start needed, since the relay runs for months: freed heap, and pages of code.
/// Code that is used again comes back from the page cache; nothing is lost, since these pages are read-only.
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
