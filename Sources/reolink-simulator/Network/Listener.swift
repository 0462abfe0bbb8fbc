import Glibc
import SnapshotBase
import Synchronization

/// A listening socket that gives each connection a thread of its own, and that can stop accepting (`setDeaf`).
final class Listener: Sendable {
    let port: Int
    private let descriptor: Int32
    /// A pipe that wakes the accepting thread when `deaf` has changed.
    private let wake: (read: Int32, write: Int32)
    private let address: sockaddr_in
    private let deaf = Mutex<[Int32]?>(nil)

    /// Binds and listens; port 0 takes a free one.
    init(host: String, port: Int) throws {
        let place = "\(host):\(port)"
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1, let number = in_port_t(exactly: port) else {
            throw StartupError("listen \(place)", "not an IPv4 address and port")
        }
        address.sin_port = number.bigEndian
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, Self.backlog) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else { throw StartupError("listen \(place)", String(cString: strerror(errno))) }
        self.descriptor = descriptor
        self.address = address
        self.port = Int(in_port_t(bigEndian: address.sin_port))
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        wake = (read: ends[0], write: ends[1])
    }

    private static let backlog: Int32 = 128

    /// Accepts connections on the calling thread, for ever.
    func run(_ serve: @escaping @Sendable (Int32) -> Void) -> Never {
        while true {
            var waiting = [pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0)]
            if !isDeaf { waiting.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
            poll(&waiting, nfds_t(waiting.count), -1)
            if waiting[0].revents != 0 {
                var byte: UInt8 = 0
                read(wake.read, &byte, 1)
            } else {
                let connection = accept(descriptor, nil, nil)
                if connection >= 0, !detach({ serve(connection) }) { close(connection) }
            }
        }
    }

    private var isDeaf: Bool { deaf.withLock { $0 != nil } }

    /// Stops accepting and fills the backlog, so that a new client's connect gets no answer; or accepts again.
    /// Connections that are already open are still served.
    func setDeaf(_ wanted: Bool) {
        deaf.withLock { fillers in
            guard wanted != (fillers != nil) else { return }
            if wanted {
                listen(descriptor, 0)
                fillers = []
            } else {
                fillers?.forEach { close($0) }
                fillers = nil
                listen(descriptor, Self.backlog)
            }
        }
        var byte: UInt8 = 0
        write(wake.write, &byte, 1)
        while wanted, fillOne() {}
    }

    private func fillOne() -> Bool {
        let filler = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard filler >= 0 else { return false }
        withUnsafePointer(to: address) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(filler, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var connected = pollfd(fd: filler, events: Int16(POLLOUT), revents: 0)
        guard poll(&connected, 1, 200) == 1 else {
            close(filler)
            return false
        }
        deaf.withLock { $0?.append(filler) }
        return true
    }
}
