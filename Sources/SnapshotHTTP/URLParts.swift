import SnapshotBase
import SnapshotSettings

/// A URL, split into the parts that requests and messages need.
package struct URLParts: Equatable, Sendable {
    /// The scheme in lower case.
    package let scheme: String
    /// Percent-decoded, like `password`; nil if the URL has none.
    package let user: String?
    package let password: String?
    /// Host and optional port; IPv6 in brackets.
    package let authority: String
    /// Path and query, from the first slash or `?` on; may be empty.
    package let target: String

    package init?(_ text: String) {
        guard let separator = text[...].range(of: "://") else { return nil }
        scheme = text[..<separator.lowerBound].lowercased()
        let rest = text[separator.upperBound...]
        let end = rest.utf8.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
        let authority = rest[..<end]
        let (login, hostAndPort) = authority.cutAtLast("@") ?? (nil, authority)
        if let login {
            let (name, secret) = login.cutAtFirst(":") ?? (login, nil)
            guard let user = percentDecoded(name) else { return nil }
            self.user = user
            if let secret {
                guard let password = percentDecoded(secret) else { return nil }
                self.password = password
            } else {
                password = nil
            }
        } else {
            (user, password) = (nil, nil)
        }
        guard let host = urlHost(String(hostAndPort)) else { return nil }
        self.authority = host
        // A fragment is never sent to the server.
        target = String(rest[end...].cutAtFirst("#")?.0 ?? rest[end...])
    }

    package var withoutUser: String { "\(scheme)://\(authority)\(target)" }

    /// The value of the Host header: the authority without the scheme's default port, and without the zone of a
    /// link-local address, which means nothing to the server.
    package var hostHeader: String {
        let own = scheme == "https" ? ":443" : ":80"
        var host = authority.hasSuffix(own) ? String(authority.dropLast(own.utf8.count)) : authority
        if let zone = host[...].range(of: "%25"), let end = host.firstIndex(of: "]") {
            host.removeSubrange(zone.lowerBound..<end)
        }
        return host
    }
}

/// Normalises a URL's authority: a name, IPv4, [IPv6] or bare IPv6, each but the last with an optional `:port`.
/// - Returns: the authority with IPv6 in brackets; nil if `text` is none.
package func urlHost(_ text: String) -> String? {
    func isPort(_ port: Substring) -> Bool {
        Int(decimal: port).map { (1...65535).contains($0) } ?? false
    }
    // A link-local address has its interface after `%`, which a URL encodes as `%25`.
    let isIPv6 = { (text: Substring) in
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        return parts[0].contains(":") && ipAddress(String(parts[0])) != nil
            && parts.dropFirst().allSatisfy { zone in
                !zone.isEmpty && zone.utf8.allSatisfy { $0 == 45 || $0 == 46 || $0 == 95 || isAlphanumeric($0) }
            }
    }
    var text = text
    if let percent = text.utf8.firstIndex(of: UInt8(ascii: "%")), !text[percent...].hasPrefix("%25") {
        text.insert(contentsOf: "25", at: text.utf8.index(after: percent))
    }
    if text.hasPrefix("[") {
        guard let close = text.firstIndex(of: "]"), isIPv6(text[text.index(after: text.startIndex)..<close])
        else {
            return nil
        }
        let tail = text[text.index(after: close)...]
        return tail.isEmpty || (tail.hasPrefix(":") && isPort(tail.dropFirst())) ? text : nil
    }
    let parts = text[...].cut(at: ":")
    if parts.count > 2 { return isIPv6(text[...]) ? "[\(text)]" : nil }
    guard let host = parts.first, !host.isEmpty, host.utf8.count <= 253,
        host.utf8.allSatisfy({ $0 >= 0x80 || $0 == 45 || $0 == 46 || $0 == 95 || isAlphanumeric($0) })
    else { return nil }
    return parts.count == 1 || isPort(parts[1]) ? text : nil
}

private func isAlphanumeric(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
}
