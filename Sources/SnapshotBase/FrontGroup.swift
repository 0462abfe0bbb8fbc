import CLinux
import Glibc

/// The group of the web front. Files that the front serves grant access to this group in their access control list;
/// other files stay private to their owner. A list is used because a confined service may set one, but may not change a
/// file's group.
private enum FrontGroup {
    static let name = "snapshot-web"

    /// The group's number; nil if there is no such group.
    static let id: gid_t? = {
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        var text = [CChar](repeating: 0, count: 16384)
        let status = getgrnam_r(name, &entry, &text, text.count, &found)
        return status == 0 && found != nil ? entry.gr_gid : nil
    }()
}

extension FileHandle {
    /// Lets the web front read this file, or enter and list this folder. The file stays private if the group does not
    /// exist or the file system does not support access control lists.
    package func shareWithFront() { setFrontAccess(true) }

    /// Grants the web front access, or revokes it.
    package func setFrontAccess(_ isServed: Bool) {
        guard let group = FrontGroup.id, let facts = try? status() else { return }
        var list = AccessList(descriptor) ?? AccessList(mode: facts.st_mode)
        let isFolder = facts.st_mode & S_IFMT == S_IFDIR
        guard list.set(group: group, to: isServed ? (isFolder ? 0o5 : 0o4) : nil) else { return }
        list.write(to: descriptor)
    }
}

/// A POSIX access control list in the format of Linux's attribute `system.posix_acl_access`: a version, then entries of
/// tag, rights and id, all little-endian.
struct AccessList: Equatable {
    struct Entry: Equatable {
        var tag: UInt16
        var rights: UInt16
        var id: UInt32
    }

    private(set) var entries: [Entry]

    private static let attribute = "system.posix_acl_access"
    private static let version: UInt32 = 2
    private static let (owner, ownGroup, group, mask, others): (UInt16, UInt16, UInt16, UInt16, UInt16) =
        (0x01, 0x04, 0x08, 0x10, 0x20)
    private static let noID = UInt32.max

    /// The list that is equivalent to `mode`.
    init(mode: mode_t) {
        entries = [(Self.owner, 6), (Self.ownGroup, 3), (Self.others, 0)].map { tag, shift in
            Entry(tag: tag, rights: UInt16(truncatingIfNeeded: mode >> shift & 7), id: Self.noID)
        }
    }

    /// The file's list; nil if it has none, or none that can be read.
    init?(_ descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = shim_get_attribute(descriptor, Self.attribute, &bytes, bytes.count)
        guard count > 0 else { return nil }
        self.init(bytes: bytes.prefix(count))
    }

    init?(bytes: ArraySlice<UInt8>) {
        func number(_ part: ArraySlice<UInt8>) -> UInt32 { part.reversed().reduce(0) { $0 << 8 | UInt32($1) } }
        guard bytes.count >= 4, bytes.count % 8 == 4, number(bytes.prefix(4)) == Self.version else { return nil }
        entries = stride(from: bytes.startIndex + 4, to: bytes.endIndex, by: 8).map { at in
            Entry(
                tag: UInt16(number(bytes[at..<at + 2])), rights: UInt16(number(bytes[at + 2..<at + 4])),
                id: number(bytes[at + 4..<at + 8]))
        }
    }

    var bytes: [UInt8] {
        func octets<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
            withUnsafeBytes(of: number.littleEndian, Array.init)
        }
        return entries.reduce(into: octets(Self.version)) { bytes, entry in
            bytes += octets(entry.tag) + octets(entry.rights) + octets(entry.id)
        }
    }

    /// Gives a group exactly these rights; nil removes its entry. Other entries stay.
    /// - Returns: whether the list changed.
    mutating func set(group: gid_t, to rights: UInt16?) -> Bool {
        let before = self
        entries.removeAll { $0.tag == Self.group && $0.id == group }
        if let rights {
            entries.append(Entry(tag: Self.group, rights: rights, id: group))
            // The mask limits the rights of all groups, so it must include these.
            let own = entries.first { $0.tag == Self.ownGroup }?.rights ?? 0
            let mask = entries.first { $0.tag == Self.mask }?.rights ?? own
            entries.removeAll { $0.tag == Self.mask }
            entries.append(Entry(tag: Self.mask, rights: mask | rights, id: Self.noID))
        }
        entries.sort { ($0.tag, $0.id) < ($1.tag, $1.id) }
        return self != before
    }

    func write(to descriptor: Int32) {
        let bytes = bytes
        _ = shim_set_attribute(descriptor, Self.attribute, bytes, bytes.count)
    }
}
