import CLinux
import SnapshotBase

/// A network interface of this machine that carries broadcasts.
package struct Interface: Equatable, Sendable {
    package let name: String
    package let address: IPv4Address
    let mask: UInt32

    var broadcast: IPv4Address { IPv4Address(address.number | ~mask) }

    /// `eth0 (192.168.1.5/24)`
    package var text: String { "\(name) (\(address)/\(mask.nonzeroBitCount))" }

    private static let most = 16

    /// The interfaces that are up and have an IPv4 address, without loopback; sixteen at most.
    package static func all() -> [Interface] {
        var found = [shim_interface](repeating: shim_interface(), count: most)
        let count = Int(shim_interfaces(&found, Int32(most)))
        return found.prefix(max(0, count)).compactMap { entry in
            // A network of one or two addresses has no broadcast address.
            guard entry.mask.nonzeroBitCount < 31 else { return nil }
            let name = withUnsafeBytes(of: entry.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            return Interface(name: name, address: IPv4Address(entry.address), mask: entry.mask)
        }
    }
}
