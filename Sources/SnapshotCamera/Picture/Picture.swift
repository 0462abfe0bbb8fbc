import SnapshotBase
import SnapshotHTTP

/// One picture from the camera that has passed the gate. There is no other way to make one.
package struct Picture: Sendable {
    package let bytes: [UInt8]
    package let width: Int
    package let height: Int
    /// Of all bytes, lower-case hexadecimal.
    package let sha256: String
    /// Checksum of the scan data alone: equal for equal views, whatever the metadata says. Nobody gains by forging it,
    /// so that it can be one that costs little.
    package let scanDigest: String

    package init(checking bytes: [UInt8]) throws(JPEG.Flaw) {
        let jpeg = try JPEG(checking: bytes)
        self.bytes = bytes
        width = jpeg.width
        height = jpeg.height
        sha256 = hexadecimal(Crypto.sha256(bytes))
        scanDigest = crc32(bytes[jpeg.scan]).hexadecimal
    }
}
