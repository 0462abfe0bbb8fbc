private let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
}

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
