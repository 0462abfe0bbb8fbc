import CLinux
import SnapshotBase

/// A UDP socket of this machine that never blocks.
package struct UDPSocket: Sendable {
    package let port: UInt16
    package let handle: FileHandle

    /// - Parameters:
    ///   - address: an address of this machine, through whose interface broadcasts and multicasts are sent; 0.0.0.0
    ///     stands for all.
    ///   - port: 0 for any free port.
    ///   - isShared: whether other sockets may use the same port; broadcasts then reach all of them.
    package init(_ address: IPv4Address, port: UInt16, isShared: Bool = false) throws(SystemError) {
        let descriptor = shim_udp(address.number, port, isShared)
        guard descriptor >= 0 else { throw SystemError("bind") }
        handle = FileHandle(owning: descriptor)
        self.port = shim_udp_port(descriptor)
    }

    /// Receives multicasts to `group` that arrive at the interface of `address`.
    package func join(_ group: IPv4Address, at address: IPv4Address) throws(SystemError) {
        guard shim_udp_join(handle.descriptor, group.number, address.number) == 0 else {
            throw SystemError("setsockopt")
        }
    }

    /// Sends one datagram.
    package func send(_ bytes: [UInt8], to address: IPv4Address, _ port: UInt16) throws(SystemError) {
        let sent = bytes.withUnsafeBytes { bytes in
            retrying { shim_udp_send(handle.descriptor, bytes.baseAddress, bytes.count, address.number, port) }
        }
        guard sent >= 0 else { throw SystemError("sendto") }
    }

    /// The next datagram (its first 8 KiB) and its sender; nil if none has arrived.
    package func receive() -> (bytes: [UInt8], from: IPv4Address, port: UInt16)? {
        var (address, port): (UInt32, UInt16) = (0, 0)
        var size = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 8192) { buffer, count in
            size = retrying {
                shim_udp_receive(handle.descriptor, buffer.baseAddress, buffer.count, &address, &port)
            }
            count = max(0, size)
        }
        return size < 0 ? nil : (bytes, IPv4Address(address), port)
    }
}
