/// An IPv4 address, as a number in host byte order.
package struct IPv4Address: Hashable, Sendable, CustomStringConvertible {
    package let number: UInt32

    package init(_ number: UInt32) { self.number = number }

    /// - Returns: nil unless `text` is four decimal numbers separated by dots.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard part.utf8.count <= 3, let byte = UInt8(part), part.utf8.allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            number = number << 8 | UInt32(byte)
        }
        self.number = number
    }

    package var description: String {
        [24, 16, 8, 0].map { String(number >> UInt32($0) & 0xFF) }.joined(separator: ".")
    }

    static let broadcast = IPv4Address(0xFFFF_FFFF)
    package static let onvifGroup = IPv4Address(0xEFFF_FFFA)
}
