import CLinux
import Glibc
import SnapshotBase

/// The first part of `text` that a shell or systemd would replace: a leading `~`, `$NAME`, `${NAME}`, `$(program)`,
/// `` `program` ``, or a specifier such as `%h`. Settings are never expanded, so such a part is a mistake.
/// - Parameter isPath: whether a leading `~` counts.
/// - Returns: the part, printable; nil if there is none.
package func unexpanded(in text: String, isPath: Bool = true) -> String? {
    let bytes = Array(text.utf8)
    func isWord(_ index: Int) -> Bool {
        guard bytes.indices.contains(index) else { return false }
        let byte = bytes[index]
        return byte == UInt8(ascii: "_") || (48...57).contains(byte) || isLetter(byte)
    }
    if isPath, bytes.first == UInt8(ascii: "~") { return "~" }
    for (index, byte) in bytes.enumerated() where index + 1 < bytes.count {
        let next = bytes[index + 1]
        if byte == UInt8(ascii: "`"), let end = bytes[(index + 1)...].firstIndex(of: byte) {
            return String(decoding: bytes[index...end], as: UTF8.self).printable(limit: 40)
        }
        if byte == UInt8(ascii: "$"), next == UInt8(ascii: "_") || isLetter(next) || "{(".utf8.contains(next) {
            var end = index + 2
            while isWord(end) { end += 1 }
            if !isWord(index + 1), end < bytes.count { end += 1 }
            return String(decoding: bytes[index..<end], as: UTF8.self).printable(limit: 40)
        }
        // `50%off` and `a%20b` are ordinary text; `/%h`, `cam-%i` and `cam%i/` contain specifiers.
        if byte == UInt8(ascii: "%"), isLetter(next), !isWord(index - 1) || !isWord(index + 2),
            !isHexadecimal(bytes[(index + 1)...].prefix(2))
        {
            return String(decoding: bytes[index...index + 1], as: UTF8.self)
        }
    }
    return nil
}

/// The rule that an unexpanded part breaks, and a hint; nil if there is none.
package func unexpandedFlaw(in text: String, isPath: Bool = true) -> (rule: String, hint: String?)? {
    unexpanded(in: text, isPath: isPath).map {
        (
            "has '\($0)', which isn't expanded here",
            $0 == "~" ? "write it out: /home/…" : "write out what it stands for"
        )
    }
}

/// The rule that an unexpanded part of a URL breaks. User, password and path may contain `$`: only a part of
/// them that is entirely `${…}` is refused. If the host contains `$`, each unexpanded part of it is refused.
package func unexpandedFlaw(inURL text: String) -> (rule: String, hint: String?)? {
    guard let scheme = text[...].range(of: "://") else { return nil }
    let rest = text[scheme.upperBound...]
    let authority = rest[..<(rest.utf8.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex)]
    let (login, host) = authority.cutAtLast("@") ?? ("", authority)
    if host.utf8.contains(UInt8(ascii: "$")), let flaw = unexpandedFlaw(in: String(host), isPath: false) { return flaw }
    let parts = login.cut(at: ":") + rest[authority.endIndex...].cut(at: "/")
    let isVariable = parts.contains { $0.hasPrefix("${") && $0.hasSuffix("}") }
    return isVariable
        ? (
            "has a '${…}', which isn't expanded here",
            "write out what it stands for; a '$' of the URL itself is written %24"
        )
        : nil
}

/// The broken rule and a hint where a URL, a network share or a folder of another machine (`//nas/share`, `nas:/share`,
/// `C:\share`) stands instead of a path; nil for a path.
func urlFlaw(inPath text: String) -> (rule: String, hint: String?)? {
    let first = text[...].cutAtFirst("/")?.0 ?? text[...]
    let isDrive = first.utf8.count > 2 && first.utf8.dropFirst().starts(with: ":\\".utf8)
    let isShare =
        text.hasPrefix("\\\\") || text.hasPrefix("//") || isDrive
        || first.utf8.count > 1 && first.hasSuffix(":") && text != first
    let scheme = text[...].range(of: "://").map { text[..<$0.lowerBound] } ?? ""
    let isURL = !scheme.isEmpty && scheme.utf8.allSatisfy(isLetter)
    guard isShare || isURL else { return nil }
    let hint = scheme == "file" ? "leave out file://" : "mount it, and write the folder where it is mounted: /mnt/…"
    return (isURL ? "is a URL, not a path" : "is a folder of another machine, not a path", hint)
}

/// The broken rule and a hint for a path in the `/tmp` of a service with `PrivateTmp=`, where everything is deleted
/// when the service ends; nil for other paths.
package func privateTmpFlaw(inPath text: String) -> (rule: String, hint: String?)? {
    let path = absolutePath(text)
    guard let folder = ["/tmp", "/var/tmp"].first(where: { isBelow(path, $0) }),
        privateFolders.contains(folder)
    else { return nil }
    return (
        "is in the service's private \(folder), which is emptied when the service ends",
        "choose a folder elsewhere, or PrivateTmp=no in a drop-in of the unit"
    )
}

/// The mount points of folders that are a service's own, by PrivateTmp=. Nearly always there are none, which is found
/// without parsing the table of mounts.
private let privateFolders: [String] = {
    let (path, mark) = ("/proc/self/mountinfo", "/systemd-private-")
    guard let table = try? FileHandle(opening: path, O_RDONLY).readAll(limit: 1 << 20),
        shim_contains(table, table.count, mark)
    else { return [] }
    return Mount.all().filter { $0.root[...].range(of: mark) != nil }.map(\.point)
}()

/// The invisible character with which `text` begins or ends, such as `U+A0`; nil where there is none. Characters that
/// are copied from a page or a chat often have one.
func invisibleCharacter(atEndsOf text: String) -> String? {
    let scalars = text.unicodeScalars
    let found = [scalars.first, scalars.last].compactMap(\.self).first {
        switch $0.value {
        case 0xA0, 0xAD, 0x2000...0x200F, 0x2028...0x202F, 0x205F...0x2064, 0x3000, 0xFEFF: true
        default: false
        }
    }
    return found.map { "U+" + String($0.value, radix: 16, uppercase: true) }
}

private func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte & 0xDF) }

private func isHexadecimal(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.count == 2 && bytes.allSatisfy { (48...57).contains($0) || (65...70).contains($0 & 0xDF) }
}
