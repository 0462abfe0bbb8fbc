import Glibc
import SnapshotBase
import SnapshotSettings

/// A listening stream socket: inherited from systemd, or bound here.
package struct Listener: Sendable {
    let descriptor: CInt
    /// Whether it can be reached from this machine only: loopback, or a unix socket, which file permissions protect.
    let isLocal: Bool
    /// The port; nil for a unix socket.
    package let port: Int?

    /// The error where a socket can't be listened on. The program then exits with EX_OSERR, 71.
    package struct Refused: Error, CustomStringConvertible {
        package let description: String
        package let hint: String?
        package static let exitCode: Int32 = 71
    }

    /// The listening sockets that systemd passed to this process; none where it was started otherwise. The variables
    /// that describe them (`LISTEN_FDS` and its like) are removed from the environment.
    /// - Throws: `Refused` where one of them isn't a listening stream socket.
    package static func inherited(environment: Environment) throws(Refused) -> [Listener] {
        defer { for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) } }
        guard environment["LISTEN_PID"] == String(getpid()),
            let count = environment["LISTEN_FDS"].flatMap(CInt.init),
            (1...16).contains(count)
        else { return [] }
        var listeners: [Listener] = []
        for descriptor in 3..<(3 + count) {
            guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0,
                option(SO_TYPE, of: descriptor) == CInt(SOCK_STREAM.rawValue),
                option(SO_ACCEPTCONN, of: descriptor) == 1
            else {
                throw Refused(
                    description:
                        "cannot use inherited descriptor \(descriptor): not a listening stream socket",
                    hint: "the socket unit needs ListenStream= and Accept=no")
            }
            listeners.append(Listener(listening: descriptor))
        }
        return listeners
    }

    /// Listens on an address of this machine.
    /// - Parameters:
    ///   - address: an IPv4 or IPv6 address.
    ///   - port: 0 takes any free one.
    /// - Throws: `Refused`, with the system's reason.
    package static func bound(to address: String, port: Int) throws(Refused) -> Listener {
        let bytes = ipAddress(address) ?? [127, 0, 0, 1]
        func refused(_ number: Int32) -> Refused {
            let hint =
                number == EADDRINUSE
                ? "stop what uses the port, or choose another with HEALTH_CHECK_PORT"
                : number == EADDRNOTAVAIL ? "HEALTH_CHECK_ADDRESS must be an address of this machine" : nil
            let why = String(cString: strerror(number))
            return Refused(description: "cannot listen on \(address):\(port): \(why)", hint: hint)
        }
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        let descriptor = socket(family, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw refused(errno) }
        var reuse: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<CInt>.size))
        guard bind(descriptor, bytes, port), listen(descriptor, SOMAXCONN) == 0 else {
            let number = errno
            close(descriptor)
            throw refused(number)
        }
        return Listener(listening: descriptor)
    }

    private static func bind(_ descriptor: CInt, _ bytes: [UInt8], _ port: Int) -> Bool {
        func bind<Address>(_ address: inout Address) -> Bool {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
                }
            } == 0
        }
        let port = in_port_t(clamping: port).bigEndian
        if bytes.count == 4 {
            var address = sockaddr_in()
            (address.sin_family, address.sin_port) = (sa_family_t(AF_INET), port)
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
            return bind(&address)
        }
        var address = sockaddr_in6()
        (address.sin6_family, address.sin6_port) = (sa_family_t(AF_INET6), port)
        withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
        return bind(&address)
    }

    private init(listening descriptor: CInt) {
        self.descriptor = descriptor
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        withUnsafeMutablePointer(to: &storage) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        (isLocal, port) = withUnsafeBytes(of: storage) { bytes in
            switch CInt(storage.ss_family) {
            case AF_UNIX: (true, nil)
            case AF_INET:
                (isLoopback(Array(bytes[4..<8])), Int(bytes[2]) << 8 | Int(bytes[3]))
            case AF_INET6:
                (isLoopback(withoutMapping(Array(bytes[8..<24]))), Int(bytes[2]) << 8 | Int(bytes[3]))
            default: (false, nil)
            }
        }
    }

    /// Whether a connection waits to be accepted.
    var hasPending: Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) > 0
    }
}

private func option(_ name: CInt, of descriptor: CInt) -> CInt? {
    var value: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
}
