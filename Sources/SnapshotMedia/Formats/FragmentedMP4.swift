import Glibc
import SnapshotBase

/// Parses the top-level boxes of a fragmented MP4 file (ISO/IEC 14496-12), to find out how much of an incomplete file
/// is playable.
package enum FragmentedMP4 {
    /// The length in bytes up to the end of the last whole fragment, which can be played; 0 where there is none.
    /// - Parameters:
    ///   - size: the file's size in bytes.
    ///   - known: the result of an earlier call for the same file, where to resume.
    ///   - read: returns up to 16 bytes at an offset; fewer at the end of the file.
    package static func wholeLength(size: Int, known: Int = 0, read: (Int) -> [UInt8]) -> Int {
        var offset = known
        var whole = known
        var hasMovie = known > 0
        var hasIndex = false
        while size - offset >= 8 {
            guard let box = box(read(offset)), box.length >= 8, box.length <= size - offset else { break }
            offset += box.length
            switch box.type {
            case "moov": hasMovie = true
            case "moof": hasIndex = true
            case "mdat" where hasIndex && hasMovie:
                whole = offset
                hasIndex = false
            // The index at the end of a file that was closed properly.
            case "mfra" where whole > 0: whole = offset
            default: break
            }
        }
        return whole
    }

    /// The playable length of an open file in bytes; nil where it can't be read, e.g. on a failing disk.
    package static func wholeLength(of file: FileHandle, known: Int = 0) -> Int? {
        guard let facts = try? file.status() else { return nil }
        var isReadable = true
        let length = wholeLength(size: Int(facts.st_size), known: known) { offset in
            [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
                let got = retrying { pread(file.descriptor, buffer.baseAddress, 16, off_t(offset)) }
                if got < 0 { isReadable = false }
                count = max(0, got)
            }
        }
        return isReadable ? length : nil
    }

    private static func box(_ bytes: [UInt8]) -> (length: Int, type: String)? {
        guard bytes.count >= 8 else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        let type = String(decoding: bytes[4..<8], as: UTF8.self)
        let short = number(0..<4)
        guard short == 1 else { return (Int(short), type) }
        guard bytes.count == 16 else { return nil }
        return (Int(clamping: number(8..<16)), type)
    }
}
