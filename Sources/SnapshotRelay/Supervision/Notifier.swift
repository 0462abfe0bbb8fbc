import CLinux
import Glibc
import SnapshotBase

/// Notifies systemd by datagrams to `NOTIFY_SOCKET` (sd_notify), directly or through a process that passes them on.
/// Where neither exists it does nothing.
package struct Notifier: ~Copyable {
    private let socket: FileHandle?
    private var address = sockaddr_un()
    private var length: socklen_t = 0
    private let watchdog: Duration?
    private var lastPing: Uptime
    private var isExtended = false

    /// How long the watchdog waits while no media flows: restarting the relay wouldn't help then.
    private static let extendedWatchdog: Duration = .seconds(3600)

    /// - Parameter connection: a connected socket to the process that passes notifications on.
    package init(_ context: ProcessContext, through connection: FileHandle? = nil) {
        let environment = context.environment
        lastPing = context.clock.up()
        watchdog = environment["WATCHDOG_USEC"].flatMap { Int(decimal: $0) }.map { .microseconds($0) }
        if let connection {
            socket = connection
            return
        }
        guard let path = environment["NOTIFY_SOCKET"], "/@".contains(path.prefix(1)), path.utf8.count > 1,
            path.utf8.count < MemoryLayout.size(ofValue: address.sun_path)
        else {
            socket = nil
            return
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        // An abstract name begins with a zero byte.
        if path.hasPrefix("@") { address.sun_path.0 = 0 }
        length = socklen_t((MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2) + path.utf8.count)
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        socket = descriptor >= 0 ? FileHandle(owning: descriptor) : nil
    }

    package func ready() { send("READY=1") }
    package func stopping() { send("STOPPING=1") }
    /// Sets the line that `systemctl status` shows.
    package func status(_ words: String) { send("STATUS=\(words)") }

    /// Media flows: pings the watchdog, at most four times per interval.
    package mutating func flowing(now: Uptime) {
        guard let watchdog, isExtended || now - lastPing >= watchdog / 4 else { return }
        // Restore the unit's own interval after an extension.
        send(isExtended ? "WATCHDOG=1\nWATCHDOG_USEC=\(watchdog.nanoseconds / 1000)" : "WATCHDOG=1")
        isExtended = false
        lastPing = now
    }

    /// No media flows, and the relay handles it: extends the watchdog. Called on change and at least every few minutes.
    package mutating func waiting(now: Uptime) {
        guard watchdog != nil else { return }
        // systemd counts the interval from the last ping, so the time since then is added.
        let time = now - lastPing + Self.extendedWatchdog
        send("WATCHDOG_USEC=\(time.nanoseconds / 1000)")
        isExtended = true
    }

    func send(_ text: String) {
        guard let socket else { return }
        let bytes = Array(text.utf8)
        guard length > 0 else {
            _ = Glibc.send(socket.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            return
        }
        _ = withUnsafePointer(to: address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
