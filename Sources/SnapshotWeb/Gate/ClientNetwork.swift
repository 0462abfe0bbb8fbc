import Glibc
import NIOCore
import SnapshotSettings

/// Where a request comes from, for counting wrong tokens: this machine, an IPv4 address, or an IPv6 network with a
/// 64-bit prefix, since one client usually has all of its addresses.
enum ClientNetwork: Hashable {
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
    /// The 4 or 16 bytes of the IP address, 4 for an IPv4-mapped IPv6 address; nil for a unix socket.
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

/// - Parameter address: 4 or 16 bytes.
func isLoopback(_ address: [UInt8]) -> Bool {
    address.count == 4 ? address[0] == 127 : address == Array(repeating: 0, count: 15) + [1]
}
