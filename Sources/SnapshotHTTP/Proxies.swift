import SnapshotBase
import SnapshotSettings

/// The proxies of uploads and pings. Without settings, libcurl reads its own environment variables.
package struct Proxies: Equatable, Sendable {
    /// How a request gets to its server.
    enum Route: Equatable {
        case direct
        /// As libcurl's environment variables say.
        case environment
        /// Through the proxy that a setting names.
        case proxy(String, setting: String)
    }

    private let http: String?
    private let https: String?
    let exceptions: ProxyExceptions?
    /// Part of a store's fingerprint; empty without settings. Contains secrets.
    package let fingerprint: String

    package init(_ settings: Settings) throws(Failure) {
        http = try Self.address(Key.httpProxy, settings)
        https = try Self.address(Key.httpsProxy, settings)
        let direct = try settings[Key.noProxy]
        exceptions = direct.map(ProxyExceptions.init)
        fingerprint = "\(http.map { " \($0)" } ?? "")\(https.map { " \($0)" } ?? "")\(direct.map { " \($0)" } ?? "")"
    }

    private static func address(_ key: Setting<String?>, _ settings: Settings) throws(Failure) -> String? {
        guard let text = try settings[key] else { return nil }
        let url = text[...].range(of: "://") == nil ? "http://" + text : text
        guard url.utf8.count(where: { $0 == UInt8(ascii: "@") }) < 2, let scheme = URLParts(url)?.scheme,
            ["http", "https", "socks4", "socks4a", "socks5", "socks5h"].contains(scheme)
        else {
            throw settings.refusal(
                key, rule: "must be a host with its port, such as http://proxy.example.org:3128",
                hint: "in a password @ is written as %40, / as %2F, # as %23")
        }
        return text
    }

    func route(to url: String) -> Route {
        if http == nil, https == nil, exceptions == nil { return .environment }
        guard let url = URLParts(url) else { return .direct }
        if exceptions?.include(url) == true { return .direct }
        let (proxy, key) = url.scheme == "https" ? (https, Key.httpsProxy) : (http, Key.httpProxy)
        return proxy.map { .proxy($0, setting: key.key) } ?? .environment
    }
}

extension HTTPRequest {
    var route: Proxies.Route { proxies?.route(to: url) ?? .direct }
}

/// The hosts of NO_PROXY: names with their subdomains, addresses and networks, each also with a port; `*` is all.
struct ProxyExceptions: Equatable {
    private struct Entry: Equatable {
        var host: String
        var network: IPNetwork?
        var port: Int?

        /// The forms of curl, Go and Python: `example.org`, `.example.org`, `*.example.org`, `10.0.0.0/8`, `[::1]:80`.
        init(_ word: Substring) {
            var text = word
            if let (before, after) = word.cutAtLast(":"), let number = Int(decimal: after),
                !before.contains(":") || before.hasSuffix("]")
            {
                (text, port) = (before, number)
            }
            if text.hasPrefix("*.") { text = text.dropFirst() }
            if text.hasPrefix(".") { text = text.dropFirst() }
            if text.hasSuffix(".") { text = text.dropLast() }
            host = text.lowercased()
            network = IPNetwork(text)
        }
    }

    private let entries: [Entry]

    init(_ list: String) {
        entries = list.split { $0 == "," || $0.isWhitespace }.map(Entry.init)
    }

    /// Whether the server of `url` is reached without a proxy.
    func include(_ url: URLParts) -> Bool {
        guard let server = HostAndPort(url.authority, defaultPort: url.scheme == "https" ? 443 : 80) else {
            return false
        }
        // A link-local address is followed by its interface.
        let address = ipAddress(String(server.name.prefix { $0 != "%" }))
        return entries.contains { entry in
            guard entry.port == nil || entry.port == server.port else { return false }
            if entry.host == "*" { return true }
            guard let address else { return server.name == entry.host || server.name.hasSuffix("." + entry.host) }
            return entry.network?.contains(address) ?? false
        }
    }
}
