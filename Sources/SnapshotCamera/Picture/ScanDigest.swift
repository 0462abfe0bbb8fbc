import SnapshotBase

/// A digest of a picture's scan data, as 16 hexadecimal digits: equal for equal images, whatever the metadata.
///
/// Each step multiplies by an odd constant and folds the 128-bit product, as wyhash does. That takes a sixth of the
/// instructions of a CRC-32, and far fewer than a second SHA-256 of the picture. Nobody gains by forging it.
package func scanDigest(_ scan: ArraySlice<UInt8>) -> String {
    let digest = scan.withUnsafeBytes { bytes in
        var digest = UInt64(bytes.count)
        func add(_ word: UInt64) {
            let product = (digest ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            digest = product.high ^ product.low
        }
        var offset = 0
        while bytes.count - offset >= 8 {
            add(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        for byte in bytes[offset...] { add(UInt64(byte)) }
        return digest
    }
    return digest.padded(16, radix: 16)
}
