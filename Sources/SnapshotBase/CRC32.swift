private let table: [UInt32] = {
    var table: [UInt32] = []
    table.reserveCapacity(256)
    for byte: UInt32 in 0..<256 {
        var value = byte
        for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
        table.append(value)
    }
    return table
}()

/// The CRC-32 of zlib and Ethernet.
/// - Parameter start: the CRC of the preceding bytes, to continue from.
package func crc32(_ bytes: ArraySlice<UInt8>, after start: UInt32 = 0) -> UInt32 {
    table.withUnsafeBufferPointer { table in
        bytes.withUnsafeBufferPointer { bytes in
            ~bytes.reduce(~start) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ ($0 >> 8) }
        }
    }
}

extension UInt32 {
    /// Eight lower-case hexadecimal digits.
    package var hexadecimal: String { padded(8, radix: 16) }
}
