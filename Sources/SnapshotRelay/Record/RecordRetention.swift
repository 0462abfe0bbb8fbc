import SnapshotBase
import SnapshotSettings

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
        maxBytes = try settings[Key.recordMaxBytes]
        maxAge = try settings[Key.recordMaxAge]
        minFree = try settings[Key.recordMinFree] ?? (uploads ? 256 << 20 : nil)
    }
}
