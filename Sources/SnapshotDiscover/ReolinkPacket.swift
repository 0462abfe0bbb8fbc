import SnapshotBase

/// A datagram of Reolink's present discovery: a header of five little-endian words (magic, length, 1, transaction,
/// checksum), and XML obfuscated by a fixed pattern.
package struct ReolinkPacket: Equatable, Sendable {
    package let transaction: UInt32
    package let payload: [UInt8]

    package init(transaction: UInt32, payload: [UInt8]) { (self.transaction, self.payload) = (transaction, payload) }

    /// A request that all cameras answer to `port`.
    package init(askingFor port: UInt16, transaction: UInt32) {
        self.init(
            transaction: transaction, payload: Array("<P2P><C2D_S><to><port>\(port)</port></to></C2D_S></P2P>".utf8))
    }

    private static let headerSize = 20
    private static let magic: UInt32 = 0x2A87_CF3A

    /// Parses a datagram.
    /// - Returns: nil where it isn't such a datagram, or is damaged.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count > Self.headerSize else { return nil }
        let words = (0..<5).map { Self.word(bytes, at: $0 * 4) }
        let hidden = bytes[Self.headerSize...]
        guard words[0] == Self.magic, words[1] == UInt32(hidden.count), Self.checksum(hidden) == words[4] else {
            return nil
        }
        self.init(transaction: words[3], payload: Self.masked(hidden, by: words[3]))
    }

    package var bytes: [UInt8] {
        let hidden = Self.masked(payload[...], by: transaction)
        let header = [Self.magic, UInt32(hidden.count), 1, transaction, Self.checksum(hidden[...])]
        return header.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32($0 * 8)) } } + hidden
    }

    /// CRC-32 with the initial value 0 and no inversion at the end.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 { ~crc32(bytes, after: ~0) }

    private static func word(_ bytes: [UInt8], at index: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[index + $1]) << UInt32($1 * 8) }
    }

    private static let pattern: [UInt32] = [
        0x1F2D_3C4B, 0x5A6C_7F8D, 0x3817_2E4B, 0x8271_635A, 0x863F_1A2B, 0xA5C6_F7D8, 0x8371_E1B4, 0x17F2_D3A5,
    ]

    private static func masked(_ bytes: ArraySlice<UInt8>, by transaction: UInt32) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let word = pattern[index / 4 % pattern.count] &+ transaction
            return byte ^ UInt8(truncatingIfNeeded: word >> UInt32(index % 4 * 8))
        }
    }
}
