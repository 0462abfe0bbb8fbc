import Glibc
import SnapshotBase

/// A network of IP addresses, as settings name it: `10.0.0.0/8`, or a single address.
package struct IPNetwork: Equatable, Sendable {
    private let address: [UInt8]
    private let bits: Int

    /// - Returns: nil where `text` is neither an address nor a network.
    package init?(_ text: Substring) {
        let (text, length) = text.cutAtFirst("/") ?? (text, nil)
        guard let address = ipAddress(String(text)) else { return nil }
        let bits = length.map { Int(decimal: $0) } ?? address.count * 8
        guard let bits, bits <= address.count * 8 else { return nil }
        self.address = address
        self.bits = bits
    }

    /// - Parameter other: an address of 4 or 16 bytes.
    package func contains(_ other: [UInt8]) -> Bool {
        guard other.count == address.count else { return false }
        return address.indices.allSatisfy { index in
            let bits = min(max(bits - index * 8, 0), 8)
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
            return (address[index] ^ other[index]) & mask == 0
        }
    }
}

/// The 4 or 16 bytes of an IP address, where IPv6 may stand in brackets; nil where `text` isn't one.
package func ipAddress(_ text: String) -> [UInt8]? {
    // As a C string, the text would end at a zero byte.
    if text.utf8.contains(0) { return nil }
    let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
    let text = isBracketed ? String(text.dropFirst().dropLast()) : text
    var four = in_addr()
    if !isBracketed, inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
    var sixteen = in6_addr()
    guard inet_pton(AF_INET6, text, &sixteen) == 1 else { return nil }
    return withoutMapping(withUnsafeBytes(of: sixteen) { Array($0) })
}

/// The IPv4 address in an IPv4-mapped IPv6 address; any other address as it is.
package func withoutMapping(_ address: [UInt8]) -> [UInt8] {
    address.starts(with: Array(repeating: 0, count: 10) + [0xFF, 0xFF]) ? Array(address.suffix(4)) : address
}
