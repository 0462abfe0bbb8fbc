import SnapshotBase
import SnapshotSettings

/// The proxies of uploads and pings. Where the settings name none, libcurl looks for its own variables.
package struct Proxies: Equatable, Sendable {
    package var http: String?
    package var https: String?
    /// Hosts that are asked without one, with commas between.
    package var exceptions: String?

    package static let environment = Proxies()

    private init() {}

    package init(_ settings: Settings) throws(Failure) {
        http = try settings[Key.httpProxy]
        https = try settings[Key.httpsProxy]
        exceptions = try settings[Key.noProxy]
    }

    /// The one for `url`; nil leaves it to libcurl.
    func proxy(for url: String) -> String? { url.hasPrefix("https://") ? https : http }
}
