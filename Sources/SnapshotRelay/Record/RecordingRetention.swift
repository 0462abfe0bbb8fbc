import SnapshotBase
import SnapshotSettings

/// The bounds of the recordings: bytes in all, age of the oldest, and bytes that must stay free on the disk.
package struct RecordingRetention: Equatable, Sendable {
    package var maxBytes: Int?
    package var maxAge: Duration?
    package var minFree: Int?

    package init(maxBytes: Int? = nil, maxAge: Duration? = nil, minFree: Int? = nil) {
        self.maxBytes = maxBytes
        self.maxAge = maxAge
        self.minFree = minFree
    }

    /// - Parameter uploads: whether recordings wait for upload. By default 256 MiB then stay free on the disk.
    init(_ settings: Settings, uploads: Bool) throws(Failure) {
        maxBytes = try settings[Key.recordMaxBytes]
        maxAge = try settings[Key.recordMaxAge]
        minFree = try settings[Key.recordMinFree] ?? (uploads ? 256 << 20 : nil)
    }
}
