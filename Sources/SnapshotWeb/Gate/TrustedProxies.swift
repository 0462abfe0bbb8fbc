import SnapshotBase
import SnapshotSettings

/// The proxies whose headers are trusted to name the client and to say that it has logged in. `WEB_TRUST_PROXY` lists
/// their addresses or networks, and `unix` for those that connect over a unix socket.
struct TrustedProxies: Sendable {
    private var networks: [IPNetwork] = []
    private var trustsUnix = false

    init() {}

    /// - Returns: nil where one of the words is neither an address, nor a network, nor `unix`.
    init?(_ list: String) {
        for word in list.split(whereSeparator: { $0 == "," || $0 == " " }) {
            if word == "unix" {
                trustsUnix = true
                continue
            }
            guard let network = IPNetwork(word) else { return nil }
            networks.append(network)
        }
    }

    /// - Parameter peer: the peer's IP address, 4 or 16 bytes; nil for a unix socket.
    func trust(_ peer: [UInt8]?) -> Bool {
        guard let peer else { return trustsUnix }
        return networks.contains { $0.contains(peer) }
    }
}

extension Request {
    /// What a trusted proxy says about the client: its address, and whether it has logged in; nil without such a proxy.
    func claim(by proxies: TrustedProxies) -> (client: [UInt8]?, hasLoggedIn: Bool)? {
        guard isForwarded, proxies.trust(peer) else { return nil }
        // Each proxy appends the address of its own client; the client may have forged everything before that.
        let chain = headers["X-Forwarded-For"].joined(separator: ",").split(separator: ",")
        let client = chain.last.flatMap { ipAddress(String($0[...].trimmed)) }
        // Use only the headers that docs/web.md wants the proxy to set or to clear, since a client may send any other.
        let names = ["X-Forwarded-User", "Remote-User"]
        return (client, names.contains { header($0).map(Self.isUser) ?? false })
    }

    /// Whether the value names a user. Without a login, a proxy sends nothing, a dash, or, as Caddy does, `{variable}`.
    private static func isUser(_ name: String) -> Bool {
        !name.isEmpty && name != "-" && !(name.hasPrefix("{") && name.hasSuffix("}"))
    }
}
