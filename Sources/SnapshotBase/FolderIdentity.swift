import CLinux
import Glibc

extension Folder {
    /// Its path without links; nil where the kernel doesn't tell.
    package var realPath: String? {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/fd/\(descriptor)", &text, text.count)
        guard length > 0, text[0] == CChar(bitPattern: UInt8(ascii: "/")) else { return nil }
        return String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// What tells it from a folder of the same path on another disk; nil where the file system doesn't keep when it
    /// was made.
    package var identity: String? {
        let born = shim_birth(descriptor)
        guard born > 0, let facts = try? handle.status() else { return nil }
        return "\(facts.st_ino)-\(born)"
    }
}
