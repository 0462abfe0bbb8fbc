import Glibc
import SnapshotBase

/// The other end of a connection over loopback, as the kernel knows it: only its holder's process has that socket.
struct Peer {
    private let inode: String

    /// nil where the kernel lists no such socket, and then nobody may be taken for its holder. One of IPv6 that reaches
    /// an IPv4 address is in another list, and never one of ffmpeg's.
    init?(of client: FileHandle) {
        var theirs = sockaddr_in()
        var ours = sockaddr_in()
        guard Self.address(client, &theirs, getpeername), Self.address(client, &ours, getsockname),
            let table = try? readFile("/proc/self/net/tcp", limit: 32 << 20)
        else { return nil }
        let pair = Array(" \(Self.text(theirs)) \(Self.text(ours)) ".utf8)
        for line in table.split(separator: UInt8(ascii: "\n")) {
            // The first field is a number and a colon.
            guard let start = line.firstIndex(of: UInt8(ascii: ":")), line[(start + 1)...].starts(with: pair) else {
                continue
            }
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 9, fields[9] != [UInt8(ascii: "0")][...] else { return nil }
            inode = String(decoding: fields[9], as: UTF8.self)
            return
        }
        return nil
    }

    /// Whether a process of that group holds it.
    func belongs(toGroup group: pid_t) -> Bool {
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

    private typealias Ask = (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32

    private static func address(_ socket: FileHandle, _ address: inout sockaddr_in, _ ask: Ask) -> Bool {
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let got = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask(socket.descriptor, $0, &length) }
        }
        return got == 0 && address.sin_family == sa_family_t(AF_INET)
    }

    /// `0100007F:1F90`: the address as the kernel holds it, and the port.
    private static func text(_ address: sockaddr_in) -> String {
        let port = UInt16(bigEndian: address.sin_port)
        return "\(address.sin_addr.s_addr.padded(8, radix: 16)):\(port.padded(4, radix: 16))".uppercased()
    }
}
