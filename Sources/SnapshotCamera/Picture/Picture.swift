import SnapshotBase
import SnapshotHTTP

/// One picture from the camera; only a valid JPEG makes one.
package struct Picture: Sendable {
    package let bytes: [UInt8]
    package let width: Int
    package let height: Int
    /// SHA-256 of all bytes, in lower-case hexadecimal.
    package let sha256: String
    /// The digest of the scan data, by which a frozen camera is recognised.
    package let scanDigest: String

    /// - Throws: what is wrong with bytes that aren't a whole JPEG.
    package init(checking bytes: [UInt8]) throws(JPEG.Flaw) {
        let jpeg = try JPEG(checking: bytes)
        self.bytes = bytes
        width = jpeg.width
        height = jpeg.height
        sha256 = hexadecimal(Crypto.sha256(bytes))
        scanDigest = SnapshotCamera.scanDigest(bytes[jpeg.scan])
    }
}
