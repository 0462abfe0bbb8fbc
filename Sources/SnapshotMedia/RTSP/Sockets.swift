import Glibc
import SnapshotBase
import SnapshotHTTP

/// A non-blocking socket that listens on a free port of 127.0.0.1, and that port.
package func listenOnLoopback() throws(SystemError) -> (FileHandle, UInt16) {
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_INET, kind, 0)
    guard descriptor >= 0 else { throw SystemError("socket") }
    let handle = FileHandle(owning: descriptor)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(descriptor, address, length) == 0 && listen(descriptor, 64) == 0
                && getsockname(descriptor, address, &length) == 0
        }
    }
    guard bound else { throw SystemError("bind") }
    return (handle, UInt16(bigEndian: address.sin_port))
}

/// Connects to the first of the host's addresses that accepts.
/// - Parameters:
///   - timeout: for each address.
///   - deadline: for all of them.
/// - Throws: `.unresolved`, `.unconnected` where no address answers in time, or `.unreachable`.
package func connect(
    to host: String, port: UInt16, timeout: Duration, deadline: Deadline
) throws(HTTPFailure) -> FileHandle {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(port)", &hints, &found) == 0 else {
        throw HTTPFailure(kind: .unresolved, why: "its name does not resolve")
    }
    defer { freeaddrinfo(found) }
    var next = found
    var number = ETIMEDOUT
    while let address = next?.pointee, !deadline.hasPassed {
        let descriptor = socket(address.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        if descriptor >= 0 {
            let handle = FileHandle(owning: descriptor)
            // Linux applies SO_SNDTIMEO to connect() as well.
            limitWaiting(descriptor, min(timeout, deadline.left))
            if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return handle }
        }
        number = errno
        next = address.ai_next
    }
    let isSilent = number == EINPROGRESS || number == EAGAIN || number == ETIMEDOUT
    throw HTTPFailure(kind: isSilent ? .unconnected : .unreachable, why: "\(SystemError("connect", number: number))")
}

/// Makes the connection fail when sent data stays unacknowledged for `timeout`, and sends small messages at once.
func limitWaiting(_ descriptor: Int32, _ timeout: Duration) {
    let milliseconds = max(1, timeout.milliseconds)
    var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    var unacknowledged = UInt32(clamping: milliseconds)
    let size = socklen_t(MemoryLayout<UInt32>.size)
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &unacknowledged, size)
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, size)
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
}
