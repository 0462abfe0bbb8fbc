import SnapshotBase
import SnapshotSettings

/// The proxies of uploads and pings. Without settings, libcurl reads its own environment variables.
package struct Proxies: Equatable, Sendable {
    package var http: String?
    package var https: String?
    /// Hosts that are reached directly, separated by commas.
    package var exceptions: String?

    package static let environment = Proxies()

    private init() {}

    package init(_ settings: Settings) throws(Failure) {
        http = try settings[Key.httpProxy]
        https = try settings[Key.httpsProxy]
        exceptions = try settings[Key.noProxy]
    }

    /// The proxy for `url`; nil leaves the choice to libcurl.
    func proxy(for url: String) -> String? { url.hasPrefix("https://") ? https : http }

    /// Whether `url` has a proxy, whatever its host.
    func isAlwaysUsed(for url: String) -> Bool { proxy(for: url) != nil && exceptions == nil }
}
