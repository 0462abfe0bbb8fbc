import Glibc
import SnapshotBase

/// A host's address, of IPv4 or IPv6, and a port.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

    private init() {}

    /// Of a socket's own end; nil where it has none.
    init?(localEndOf descriptor: Int32) {
        self.init()
        let isKnown = withBytes { getsockname(descriptor, $0, $1) == 0 }
        guard isKnown, family == AF_INET || family == AF_INET6 else { return nil }
    }

    /// Of whoever a socket is connected to.
    init?(farEndOf descriptor: Int32) {
        self.init()
        let isKnown = withBytes { getpeername(descriptor, $0, $1) == 0 }
        guard isKnown, family == AF_INET || family == AF_INET6 else { return nil }
    }

    /// Receives a datagram, and whom it is from.
    /// - Returns: its length, also where it is longer than `room`; nil where none has come.
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

    /// It stands at the same place in both families.
    var port: UInt16 {
        get { withUnsafeBytes(of: storage) { UInt16($0[2]) << 8 | UInt16($0[3]) } }
        set {
            withUnsafeMutableBytes(of: &storage) {
                $0[2] = UInt8(newValue >> 8)
                $0[3] = UInt8(newValue & 0xFF)
            }
        }
    }

    /// Whether it is the same host's, at whatever port.
    func isSameHost(as other: SocketAddress) -> Bool { family == other.family && host == other.host }

    private var host: [UInt8] {
        withUnsafeBytes(of: storage) { Array(family == AF_INET6 ? $0[8..<24] : $0[4..<8]) }
    }

    /// A socket for datagrams at this address; nil where the port is taken.
    func bound() -> FileHandle? {
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { return nil }
        let handle = FileHandle(owning: descriptor)
        var address = self
        guard address.withBytes({ bind(descriptor, $0, $1.pointee) == 0 }) else { return nil }
        return handle
    }

    /// Nobody waits for it, and nobody is told where it can't be sent.
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
