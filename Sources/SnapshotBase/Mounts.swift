import Glibc

/// One mount as `/proc/self/mountinfo` has it.
package struct Mount: Equatable, Sendable {
    /// Where it is seen.
    package let point: String
    /// What of its file system is seen there; `/` unless it is a bind mount or a subvolume.
    package let root: String
    /// `major:minor`, as `st_dev` of what lies in it.
    package let device: String

    /// The mounts that this process sees, those that lie over others behind them. None where there is no `/proc`.
    package static func all() -> [Mount] { table("/proc/self/mountinfo", limit: 1 << 20).compactMap(Mount.init) }

    private init?(_ fields: [ArraySlice<UInt8>]) {
        guard fields.count > 4 else { return nil }
        device = String(decoding: fields[2], as: UTF8.self)
        root = unescaped(fields[3])
        point = unescaped(fields[4])
    }

    /// Where `/etc/fstab` wants mounts, without the root and swap.
    package static func wanted() -> [String] {
        table("/etc/fstab", limit: 65536).compactMap { fields in
            guard fields.count > 1, fields[0].first != UInt8(ascii: "#"), fields[1].first == UInt8(ascii: "/") else {
                return nil
            }
            let point = withoutSlashAtEnd(unescaped(fields[1]))
            return point == "/" ? nil : point
        }
    }

    /// Where folders of other computers, or of programs, are mounted or `/etc/fstab` wants them: such may hang.
    package static func mayHang() -> [String] {
        let mounted = table("/proc/self/mountinfo", limit: 1 << 20).compactMap { fields -> String? in
            guard fields.count > 5, let type = rest(behind: " - ", of: fields[5]), isRemote(type) else { return nil }
            return unescaped(fields[4])
        }
        let wanted = table("/etc/fstab", limit: 65536).compactMap { fields -> String? in
            guard fields.count > 2, fields[0].first != UInt8(ascii: "#"), isRemote(fields[2]) else { return nil }
            return withoutSlashAtEnd(unescaped(fields[1]))
        }
        return mounted + wanted
    }

    private static func rest(behind mark: String, of field: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        field.indices.first { field[$0...].starts(with: mark.utf8) }.map { field[($0 + mark.utf8.count)...] }
    }

    /// - Parameter type: a file system's, whatever stands behind it. `fuseblk` is a local disk.
    private static func isRemote(_ type: ArraySlice<UInt8>) -> Bool {
        let word = type.prefix { $0 != UInt8(ascii: " ") }
        return word.elementsEqual("fuse".utf8)
            || ["nfs", "cifs", "smb", "fuse.", "9p", "ceph", "gluster", "afs", "davfs"].contains {
                word.starts(with: $0.utf8)
            }
    }

    /// The lines of a table, each as its fields.
    private static func table(_ path: String, limit: Int) -> [[ArraySlice<UInt8>]] {
        guard let bytes = try? FileHandle(opening: path, O_RDONLY).readAll(limit: limit) else { return [] }
        return bytes.split(separator: UInt8(ascii: "\n")).map { line in
            line.split(maxSplits: 5) { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        }
    }

    /// Whether something else is mounted at `point` than what lies there without it. A bind of a folder on itself, by
    /// which systemd lets a confined service write, changes nothing.
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

/// The absolute form of a path; links in it stay what they are.
package func absolutePath(_ path: String) -> String {
    if path.utf8.first == UInt8(ascii: "/") { return path }
    guard let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    let rest = path.utf8.starts(with: "./".utf8) ? String(path.dropFirst(2)) : path
    return (String(cString: here) == "/" ? "" : String(cString: here)) + "/" + rest
}

/// Blanks and backslashes stand in these tables as `\040` and the like.
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
