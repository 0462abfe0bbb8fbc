import Glibc
import SnapshotBase

/// An IPv4 or IPv6 address and a port.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

    private init() {}

    /// The local address of a socket; nil where it has none.
    init?(localEndOf descriptor: Int32) {
        self.init()
        let isKnown = withBytes { getsockname(descriptor, $0, $1) == 0 }
        guard isKnown, family == AF_INET || family == AF_INET6 else { return nil }
    }

    /// The peer's address of a connected socket; nil where it isn't connected.
    init?(farEndOf descriptor: Int32) {
        self.init()
        let isKnown = withBytes { getpeername(descriptor, $0, $1) == 0 }
        guard isKnown, family == AF_INET || family == AF_INET6 else { return nil }
    }

    /// Receives one datagram without waiting.
    /// - Returns: its full length in bytes, which may exceed `room`, and its sender; nil where none has arrived.
    static func receive(_ descriptor: Int32, into room: inout [UInt8]) -> (count: Int, from: SocketAddress)? {
        var sender = SocketAddress()
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_TRUNC)
        let count = room.withUnsafeMutableBytes { room in
            sender.withBytes { address, length in
                retrying { recvfrom(descriptor, room.baseAddress, room.count, flags, address, length) }
            }
        }
        return count < 0 ? nil : (count, sender)
    }

    var family: Int32 { Int32(storage.ss_family) }

    /// In host byte order. Both families keep it at the same offset.
    var port: UInt16 {
        get { withUnsafeBytes(of: storage) { UInt16($0[2]) << 8 | UInt16($0[3]) } }
        set {
            withUnsafeMutableBytes(of: &storage) {
                $0[2] = UInt8(newValue >> 8)
                $0[3] = UInt8(newValue & 0xFF)
            }
        }
    }

    /// Whether the two addresses are equal; ports are ignored.
    func isSameHost(as other: SocketAddress) -> Bool { family == other.family && host == other.host }

    private var host: [UInt8] {
        withUnsafeBytes(of: storage) { Array(family == AF_INET6 ? $0[8..<24] : $0[4..<8]) }
    }

    /// A non-blocking datagram socket bound to this address; nil where binding fails, e.g. because the port is taken.
    func bound() -> FileHandle? {
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { return nil }
        let handle = FileHandle(owning: descriptor)
        var address = self
        guard address.withBytes({ bind(descriptor, $0, $1.pointee) == 0 }) else { return nil }
        return handle
    }

    /// Sends a datagram without waiting; errors are ignored.
    func send(_ bytes: some Collection<UInt8>, over socket: FileHandle) {
        var address = self
        let bytes = Array(bytes)
        _ = address.withBytes {
            sendto(socket.descriptor, bytes, bytes.count, Int32(MSG_DONTWAIT), $0, $1.pointee)
        }
    }

    private mutating func withBytes<Result>(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &length) { length in
            withUnsafeMutablePointer(to: &storage) { storage in
                storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
            }
        }
    }
}
