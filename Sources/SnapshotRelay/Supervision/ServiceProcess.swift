import CLinux
import Glibc
import SnapshotBase
import Synchronization

/// Under systemd the relay is two processes: the main process passes signals and notifications on, and its child
/// relays. A folder that hangs blocks a process even against SIGKILL, and systemd waits for the main process. That one
/// therefore opens no folder; it ends with the child, or a second after the child has reported that it is done.
enum ServiceProcess {
    private static let done = "DONE=1"
    /// How long the child may take to end after it is done.
    private static let grace = Duration.seconds(1)

    /// Calls `relay` with a notifier. Under systemd it forks first: the child calls `relay` and returns its result; the
    /// main process never returns, and exits with the child.
    static func split(
        _ context: ProcessContext, _ relay: @escaping @Sendable (consuming Notifier) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        guard context.environment["NOTIFY_SOCKET"] != nil else { return try relay(Notifier(context)) }
        let end = try forkChild(context)
        return try inThread { () throws(Failure) in try relay(Notifier(context, through: FileHandle(owning: end))) }
    }

    /// - Returns: in the child alone, its end of the connection to the main process.
    private static func forkChild(_ context: ProcessContext) throws(Failure) -> Int32 {
        let signals = try catchSignals()
        do throws(SystemError) {
            var ends: [Int32] = [-1, -1]
            let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw SystemError("socketpair") }
            let connection = FileHandle(owning: ends[0])
            let child = shim_fork([ends[1]], 1)
            guard child >= 0 else { throw SystemError("fork") }
            if child == 0 { return ends[1] }
            close(ends[1])
            releaseMemory()
            watch(child, connection, Notifier(context), signals)
        } catch {
            throw Failure(.own(.signals), "cannot start the relay", why: "\(error.call): \(error)")
        }
    }

    private final class Ending: Sendable {
        let result = Mutex<Result<Bool, Failure>?>(nil)
    }

    /// Runs `body` in a new thread. Swift's locks record their owner by a thread id that each thread caches. After a
    /// fork the child's first thread still has its parent's id, and another thread could wait for its locks for ever.
    private static func inThread(_ body: @escaping @Sendable () throws(Failure) -> Bool) throws(Failure) -> Bool {
        let ending = Ending()
        let thread = startThread {
            let result = Result { () throws(Failure) in try body() }
            ending.result.withLock { $0 = result }
        }
        guard let thread else { throw Failure(.own(.signals), "cannot start the relay", why: "no thread can be made") }
        pthread_join(thread, nil)
        guard let result = ending.result.withLock({ $0 }) else { return false }
        return try result.get()
    }

    /// Called in the child: reports to the main process that the child is done.
    static func reportDone(_ notifier: borrowing Notifier) { notifier.send(done) }

    private static func watch(
        _ child: pid_t, _ connection: FileHandle, _ systemd: borrowing Notifier, _ signals: FileHandle
    ) -> Never {
        var end: Deadline?
        var message = [UInt8](repeating: 0, count: 4096)
        while true {
            var waiting = [signals, connection].map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            poll(&waiting, nfds_t(waiting.count), end == nil ? -1 : 20)
            // Don't spin: a connection that the child has closed is always readable.
            if end != nil { usleep(20_000) }
            let number = shim_signal_read(signals.descriptor)
            if number > 0 { kill(child, number) }
            let count = recv(connection.descriptor, &message, message.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                let text = String(decoding: message.prefix(count), as: UTF8.self)
                if text == done { end = .after(grace) } else { systemd.send(text) }
            }
            // A closed connection (`count` is 0) means that the child has ended or is ending: wait for it.
            var status: Int32 = 0
            if waitpid(child, &status, count == 0 && end == nil ? 0 : WNOHANG) == child {
                _exit(status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F)
            }
            if let end, end.hasPassed { _exit(0) }
        }
    }
}
