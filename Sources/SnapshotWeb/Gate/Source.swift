import Glibc
import NIOCore

/// Where a request comes from, as far as wrong tokens are counted: this machine, an IPv4 address, or the network of 64 bits
/// that an IPv6 client has all addresses of.
enum Source: Hashable {
    case here
    case elsewhere([UInt8])

    init(_ address: SocketAddress?) { self.init(bytes: address?.ipBytes) }

    init(bytes: [UInt8]?) {
        guard let bytes, !isLoopback(bytes) else {
            self = .here
            return
        }
        self = .elsewhere(bytes.count == 16 ? Array(bytes.prefix(8)) : bytes)
    }
}

extension SocketAddress {
    /// The 4 or 16 bytes of an IP address; an IPv4 address that IPv6 carries is one of 4. nil for what has none.
    var ipBytes: [UInt8]? {
        switch self {
        case .v4(let address): return withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
        case .v6(let address):
            return withoutMapping(withUnsafeBytes(of: address.address.sin6_addr) { Array($0) })
        case .unixDomainSocket: return nil
        }
    }

    var isLoopback: Bool { ipBytes.map(SnapshotWeb.isLoopback) ?? false }
}

/// The IPv4 address that an IPv6 address carries, or the address itself.
func withoutMapping(_ address: [UInt8]) -> [UInt8] {
    address.starts(with: Array(repeating: 0, count: 10) + [0xFF, 0xFF]) ? Array(address.suffix(4)) : address
}

/// - Parameter address: 4 or 16 bytes.
func isLoopback(_ address: [UInt8]) -> Bool {
    address.count == 4 ? address[0] == 127 : address == Array(repeating: 0, count: 15) + [1]
}
