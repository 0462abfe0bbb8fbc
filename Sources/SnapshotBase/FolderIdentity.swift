import CLinux
import Glibc

extension Folder {
    /// The folder's path without symbolic links; nil if the kernel does not provide it.
    package var realPath: String? {
        var text = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/fd/\(descriptor)", &text, text.count)
        guard length > 0, text[0] == CChar(bitPattern: UInt8(ascii: "/")) else { return nil }
        return String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Inode number and birth time, which distinguish the folder from one with the same path on another disk; nil if
    /// the file system does not record birth times.
    package var identity: String? {
        let born = shim_birth(descriptor)
        guard born > 0, let facts = try? handle.status() else { return nil }
        return "\(facts.st_ino)-\(born)"
    }
}
