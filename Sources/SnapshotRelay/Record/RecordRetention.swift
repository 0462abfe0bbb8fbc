import SnapshotBase

/// How much recording is kept.
package struct RecordRetention: Equatable, Sendable {
    package var maxBytes: Int?
    package var maxAge: Duration?
    package var minFree: Int?

    package init(maxBytes: Int? = nil, maxAge: Duration? = nil, minFree: Int? = nil) {
        self.maxBytes = maxBytes
        self.maxAge = maxAge
        self.minFree = minFree
    }

    /// - Parameter uploads: what waits for the store must not fill the disk, so there is a bound even if none is set.
    init(_ settings: Settings, uploads: Bool) throws(Failure) {
        maxBytes = try settings.size(.recordMaxBytes, default: nil)
        maxAge = try settings.duration(.recordMaxAge, default: nil, in: .seconds(1)...(.seconds(86400 * 36500)))
        minFree = try settings.size(.recordMinFree, default: uploads ? 256 << 20 : nil)
    }
}
