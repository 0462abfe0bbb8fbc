import CLinux
import Glibc
import SnapshotBase
import Synchronization

/// The client's socket of a loopback connection, as the kernel identifies it: by inode and owner.
struct Peer: Equatable {
    private let inode: UInt32
    private let user: uid_t

    /// nil where the kernel finds no such socket; the client's process is unknown then. An IPv6 socket that is
    /// connected to an IPv4 address isn't found; ffmpeg never uses one.
    init?(of client: FileHandle) {
        guard let ends = Self.ends(of: client) else { return nil }
        guard let peer = Self(lookedUp: ends) ?? (Self.lookupWorks.load(ordering: .relaxed) ? nil : Self(listed: ends))
        else { return nil }
        self = peer
    }

    /// Whether the kernel's lookup of a single socket has ever worked. If so, a socket that it doesn't find doesn't
    /// exist, and the slow list isn't read.
    private static let lookupWorks = Atomic(false)

    private init?(lookedUp ends: Ends) {
        func endpoint(_ address: sockaddr_in) -> shim_endpoint {
            shim_endpoint(address: address.sin_addr.s_addr, port: address.sin_port)
        }
        var owner = shim_socket_owner()
        guard shim_find_socket(endpoint(ends.far), endpoint(ends.near), &owner) else { return nil }
        Self.lookupWorks.store(true, ordering: .relaxed)
        inode = owner.inode
        user = owner.user
    }

    /// Finds the socket in the kernel's list of all TCP sockets, which is slower.
    init?(listed ends: Ends) {
        guard let table = try? readFile("/proc/self/net/tcp", limit: 32 << 20) else { return nil }
        let pair = Array(" \(Self.text(ends.far)) \(Self.text(ends.near)) ".utf8)
        for line in table.split(separator: UInt8(ascii: "\n")) {
            // The addresses follow an entry number and a colon.
            guard let start = line.firstIndex(of: UInt8(ascii: ":")), line[(start + 1)...].starts(with: pair) else {
                continue
            }
            let fields = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count > 9, let user = uid_t(fields[7]), let inode = UInt32(fields[9]), inode != 0 else {
                return nil
            }
            self.inode = inode
            self.user = user
            return
        }
        return nil
    }

    /// Whether a process of that process group has the socket open.
    func belongs(toGroup group: pid_t) -> Bool {
        // Don't search all processes for a socket of another user.
        guard user == geteuid() else { return false }
        let processes = ((try? listDirectory("/proc")) ?? []).compactMap { pid_t($0) }
        return processes.contains { pid in
            getpgid(pid) == group && descriptors(of: pid).contains { target(of: $0) == "socket:[\(inode)]" }
        }
    }

    private func descriptors(of pid: pid_t) -> [String] {
        ((try? listDirectory("/proc/\(pid)/fd")) ?? []).map { "/proc/\(pid)/fd/\($0)" }
    }

    private func target(of link: String) -> String {
        var buffer = [UInt8](repeating: 0, count: 64)
        let length = buffer.withUnsafeMutableBytes { raw in raw.baseAddress.map { readlink(link, $0, raw.count) } ?? 0 }
        return String(decoding: buffer.prefix(max(0, length)), as: UTF8.self)
    }

    /// The addresses of a connection; `near` is this process's.
    struct Ends {
        var far = sockaddr_in()
        var near = sockaddr_in()
    }

    /// The addresses of a connection; nil where it isn't IPv4.
    static func ends(of client: FileHandle) -> Ends? {
        var ends = Ends()
        return address(client, &ends.far, getpeername) && address(client, &ends.near, getsockname) ? ends : nil
    }

    private typealias AddressCall = (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32

    private static func address(_ socket: FileHandle, _ address: inout sockaddr_in, _ call: AddressCall) -> Bool {
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let got = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(socket.descriptor, $0, &length) }
        }
        return got == 0 && address.sin_family == sa_family_t(AF_INET)
    }

    /// An address in the format of `/proc/net/tcp`, e.g. `0100007F:1F90` for 127.0.0.1:8080 on little-endian machines.
    private static func text(_ address: sockaddr_in) -> String {
        let port = UInt16(bigEndian: address.sin_port)
        return "\(address.sin_addr.s_addr.padded(8, radix: 16)):\(port.padded(4, radix: 16))".uppercased()
    }
}
