/// Eight tables of 256: the entry for a byte, followed by none to seven zero bytes. With them eight bytes are taken at a
/// time ("slicing by eight"), five times as fast as one by one, which is noticeable in each run.
private let tables: [UInt32] = {
    var tables: [UInt32] = []
    tables.reserveCapacity(8 * 256)
    for byte: UInt32 in 0..<256 {
        var value = byte
        for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
        tables.append(value)
    }
    for index in 0..<(7 * 256) {
        let value = tables[index]
        tables.append(tables[Int(value & 0xFF)] ^ (value >> 8))
    }
    return tables
}()

/// The CRC-32 of zlib and Ethernet.
/// - Parameter start: the CRC of the preceding bytes, to continue from.
package func crc32(_ bytes: ArraySlice<UInt8>, after start: UInt32 = 0) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
        bytes.withUnsafeBytes { bytes in
            var crc = ~start
            var offset = 0
            while bytes.count - offset >= 8 {
                let next = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                let eight = next ^ UInt64(crc)
                crc = 0
                for place in 0..<8 {
                    let byte = UInt8(truncatingIfNeeded: eight >> (8 * UInt64(place)))
                    crc ^= tables[(7 - place) * 256 + Int(byte)]
                }
                offset += 8
            }
            for byte in bytes[offset...] { crc = tables[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ (crc >> 8) }
            return ~crc
        }
    }
}

extension UInt32 {
    /// Eight lower-case hexadecimal digits.
    package var hexadecimal: String { padded(8, radix: 16) }
}
