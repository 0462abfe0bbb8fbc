import Glibc
import SnapshotBase

/// The host name in a request. In a DNS rebinding attack a web page makes its own host name resolve to this machine,
/// and then reads the responses. It can't do that with this machine's own names.
enum HostName {
    /// Whether `authority` (a host with or without a port) is an IP address, `localhost`, or this machine's name.
    static func isOwn(_ authority: String, machine: String = machineName()) -> Bool {
        if isAddress(authority, AF_INET6) { return true }
        guard let host = host(in: authority) else { return false }
        if isAddress(host, AF_INET) { return true }
        if authority.hasPrefix("[") { return isAddress(host, AF_INET6) }
        let name = host.hasSuffix(".") ? host.dropLast() : host[...]
        let own = machine.lowercased()
        return !name.isEmpty && ["localhost", own[...], own.prefix { $0 != "." }].contains(name[...])
    }

    /// The host in `authority`, without its port and in lower case; nil where `authority` is malformed.
    private static func host(in authority: String) -> String? {
        let text = authority.lowercased()
        let isBracketed = text.hasPrefix("[")
        let host = isBracketed ? text.dropFirst().prefix { $0 != "]" } : text.prefix { $0 != ":" }
        var rest = text[host.endIndex...]
        if isBracketed { guard rest.popFirst() == "]" else { return nil } }
        guard rest.isEmpty || rest.popFirst() == ":", rest.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return nil
        }
        return String(host)
    }

    private static func isAddress(_ text: String, _ family: CInt) -> Bool {
        var address = in6_addr()
        return !text.utf8.contains(0) && inet_pton(family, text, &address) == 1
    }

    static func machineName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
