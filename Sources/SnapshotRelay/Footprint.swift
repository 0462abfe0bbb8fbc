import CLinux
import Glibc
import SnapshotBase

/// Makes all threads share one heap; call it before the first thread starts. By default each thread gets a heap (arena)
/// of its own, which never shrinks.
func shareHeap() { shim_share_heap() }

/// Returns freed heap and pages of code to the system, most of which only the start needed. Nothing is lost, since the
/// pages of code are read-only: the kernel reads them again from the page cache when they are used.
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
