import CLinux
import Glibc

/// A mount, as listed in `/proc/self/mountinfo`.
package struct Mount: Equatable, Sendable {
    /// The mount point.
    package let point: String
    /// The folder of the file system that is mounted there; `/` unless it is a bind mount or a subvolume.
    package let root: String
    /// `major:minor`, the `st_dev` of files in it.
    package let device: String
    /// The file system's type, e.g. `ext4`.
    package let type: String
    /// Whether the file system itself is read-only, not only this mount of it.
    let isReadOnly: Bool

    /// The mounts that this process sees; a mount that covers another comes after it. Empty without `/proc`.
    package static func all() -> [Mount] { table("/proc/self/mountinfo", limit: 1 << 20).compactMap(Mount.init) }

    private init?(_ fields: [ArraySlice<UInt8>]) {
        guard fields.count > 4 else { return nil }
        let facts = fields.count > 5 ? Self.rest(after: " - ", of: fields[5]) : nil
        let words = facts?.split(separator: UInt8(ascii: " ")) ?? []
        type = String(decoding: words.first ?? [], as: UTF8.self)
        isReadOnly = words.last?.split(separator: UInt8(ascii: ",")).first.map { $0.elementsEqual("ro".utf8) } ?? false
        device = String(decoding: fields[2], as: UTF8.self)
        root = unescaped(fields[3])
        point = unescaped(fields[4])
    }

    /// What to do where nothing can be written to `path`, because its file system is read-only; nil where it isn't.
    package static func readOnlyHint(_ path: String) -> String? {
        let path = absolutePath(path)
        let on = all().filter { isBelow(path, $0.point) }.max { $0.point.utf8.count <= $1.point.utf8.count }
        guard let on, on.isReadOnly else { return nil }
        return
            "the disk itself is read-only; Linux does that after an error: see dmesg, unmount \(on.point), run fsck"
    }

    /// The mount points in `/etc/fstab`, without the root and swap.
    package static func inFstab() -> [String] {
        table("/etc/fstab", limit: 65536).compactMap { fields in
            guard fields.count > 1, fields[0].first != UInt8(ascii: "#"), fields[1].first == UInt8(ascii: "/") else {
                return nil
            }
            let point = withoutSlashAtEnd(unescaped(fields[1]))
            return point == "/" ? nil : point
        }
    }

    /// The mount points of network and FUSE file systems, mounted or listed in `/etc/fstab`: access to them may hang.
    package static func pointsThatMayHang() -> [String] {
        let wanted = table("/etc/fstab", limit: 65536).compactMap { fields -> String? in
            guard fields.count > 2, fields[0].first != UInt8(ascii: "#"), isRemote(fields[2]) else { return nil }
            return withoutSlashAtEnd(unescaped(fields[1]))
        }
        return mountedThatMayHang() + wanted
    }

    /// The mount points of network and FUSE file systems.
    static func mountedThatMayHang() -> [String] {
        table("/proc/self/mountinfo", limit: 1 << 20, where: shim_has_remote).compactMap { fields -> String? in
            guard fields.count > 5, let type = rest(after: " - ", of: fields[5]), isRemote(type) else { return nil }
            return unescaped(fields[4])
        }
    }

    private static func rest(after mark: String, of field: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        field.indices.first { field[$0...].starts(with: mark.utf8) }.map { field[($0 + mark.utf8.count)...] }
    }

    /// - Parameter type: a file system's type, possibly followed by other fields.
    private static func isRemote(_ type: ArraySlice<UInt8>) -> Bool {
        let word = Array(type.prefix { $0 != UInt8(ascii: " ") }) + [UInt8(ascii: " ")]
        return shim_is_remote(word, word.count)
    }

    /// The lines of a table that pass a test, split into at most six fields; none where the whole text fails it.
    private static func table(
        _ path: String, limit: Int, where test: (UnsafeRawPointer?, Int) -> Bool = { _, _ in true }
    ) -> [[ArraySlice<UInt8>]] {
        guard let bytes = try? FileHandle(opening: path, O_RDONLY).readAll(limit: limit), test(bytes, bytes.count)
        else { return [] }
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        return lines.filter { $0.withUnsafeBytes { test($0.baseAddress, $0.count) } }.map { line in
            line.split(maxSplits: 5) { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        }
    }

    /// Whether a different file system or folder is mounted at `point`. A bind mount of a folder onto itself, by which
    /// systemd makes it writable for a confined service, does not count.
    package static func isMounted(_ point: String, in mounts: [Mount] = all()) -> Bool {
        guard let top = mounts.last(where: { $0.point == point }) else { return false }
        let above = mounts.filter { isBelow(point, $0.point) && $0.point != point }
        guard let parent = above.max(by: { $0.point.utf8.count <= $1.point.utf8.count }) else { return true }
        let inside = point.utf8.dropFirst(parent.point == "/" ? 0 : parent.point.utf8.count)
        let plain = (parent.root == "/" ? "" : parent.root) + String(decoding: inside, as: UTF8.self)
        return top.device != parent.device || top.root != plain
    }
}

/// Whether the absolute `path` is `folder` or lies below it.
package func isBelow(_ path: String, _ folder: String) -> Bool {
    guard path.utf8.starts(with: folder.utf8) else { return false }
    let rest = path.utf8.dropFirst(folder.utf8.count)
    return rest.isEmpty || rest.first == UInt8(ascii: "/") || folder.utf8.last == UInt8(ascii: "/")
}

package func withoutSlashAtEnd(_ path: String) -> String {
    var path = path
    while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
    return path
}

/// The absolute form of a path, without resolving symbolic links.
package func absolutePath(_ path: String) -> String {
    if path.utf8.first == UInt8(ascii: "/") { return path }
    guard let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    let rest = path.utf8.starts(with: "./".utf8) ? String(path.dropFirst(2)) : path
    return (String(cString: here) == "/" ? "" : String(cString: here)) + "/" + rest
}

/// Decodes the octal escapes of these tables, e.g. `\040` for a blank.
private func unescaped(_ field: ArraySlice<UInt8>) -> String {
    guard field.contains(UInt8(ascii: "\\")) else { return String(decoding: field, as: UTF8.self) }
    var text: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
        let digits = rest.prefix(3)
        guard byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (48...55).contains($0) }) else {
            text.append(byte)
            continue
        }
        text.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 48) }))
        rest = rest.dropFirst(3)
    }
    return String(decoding: text, as: UTF8.self)
}
