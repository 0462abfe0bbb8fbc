import Glibc
import SnapshotBase

/// A host and its port in canonical form, so that two spellings of an address are equal. A pin belongs to the host and
/// port of a TLS server.
package struct HostAndPort: Equatable, Sendable, CustomStringConvertible {
    /// A name in lower case, or an address in the system's notation; IPv6 without brackets.
    package let name: String
    package let port: Int

    /// - Parameter authority: host and optional port; IPv6 in brackets, with its zone after `%` or `%25`.
    package init?(_ authority: String, defaultPort: Int) {
        guard let authority = urlHost(authority) else { return nil }
        var host = authority[...]
        var port = defaultPort
        if let (before, after) = host.cutAtLast(":"), !host.hasSuffix("]") {
            guard let number = Int(after) else { return nil }
            (host, port) = (before, number)
        }
        guard (1...65535).contains(port), let name = Self.canonical(host) else { return nil }
        self.name = name
        self.port = port
    }

    /// The server of `url`; nil if the scheme does not use TLS.
    package init?(tlsURL url: String) {
        guard let parts = URLParts(url) else { return nil }
        switch parts.scheme {
        case "https": self.init(parts.authority, defaultPort: 443)
        case "rtsps": self.init(parts.authority, defaultPort: 322)
        default: return nil
        }
    }

    /// The form used in URLs, always with the port.
    package var description: String {
        guard name.utf8.contains(UInt8(ascii: ":")) else { return "\(name):\(port)" }
        let parts = name[...].cutAtFirst("%")
        return parts.map { "[\($0)%25\($1)]:\(port)" } ?? "[\(name)]:\(port)"
    }

    private static func canonical(_ host: Substring) -> String? {
        guard host.hasPrefix("[") else {
            // Resolvers also accept short forms of IPv4 addresses, such as `127.1`.
            var address = in_addr()
            if inet_aton(String(host), &address) != 0 { return text(of: &address, AF_INET) }
            let name = host.lowercased()
            return name.hasSuffix(".") ? String(name.dropLast()) : name
        }
        let inner = host.dropFirst().dropLast()
        let (digits, rest) = inner.cutAtFirst("%") ?? (inner, "")
        var address = in6_addr()
        guard inet_pton(AF_INET6, String(digits), &address) == 1 else { return nil }
        // An IPv4-mapped IPv6 address is the same host as the IPv4 address.
        let bytes = withUnsafeBytes(of: address) { Array($0) }
        if bytes.prefix(12) == Array(repeating: 0, count: 10) + [0xFF, 0xFF] {
            return bytes.suffix(4).map { "\($0)" }.joined(separator: ".")
        }
        // `rest` begins with `25` from the escape `%25`; the interface's name follows.
        return text(of: &address, AF_INET6).map { rest.isEmpty ? $0 : $0 + "%" + rest.dropFirst(2) }
    }

    private static func text(of address: UnsafeRawPointer, _ family: Int32) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            inet_ntop(family, address, buffer.baseAddress, socklen_t(buffer.count)).map { String(cString: $0) }
        }
    }
}
