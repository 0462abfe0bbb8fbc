import CLinux
import Glibc
import Synchronization

/// Blocks the termination signals (SIGTERM, SIGINT, SIGHUP) from `block` to `release`, so that they do not interrupt
/// work that would be lost. A signal that arrives meanwhile takes effect at `release`.
package final class BlockedSignals: Sendable {
    package static let terminationSignals = [SIGTERM, SIGINT, SIGHUP]
    /// The previous signal mask; nil while nothing is blocked.
    private let before = Mutex<sigset_t?>(nil)

    package init() {}

    /// Blocks the signals in the calling thread.
    package func block() {
        before.withLock { before in
            guard before == nil else { return }
            var old = sigset_t()
            var signals = sigset_t()
            sigemptyset(&signals)
            for signal in Self.terminationSignals { sigaddset(&signals, signal) }
            pthread_sigmask(SIG_BLOCK, &signals, &old)
            before = old
        }
    }

    /// Restores the previous signal mask; a pending signal takes effect.
    package func release() {
        before.withLock { before in
            guard var old = before else { return }
            before = nil
            pthread_sigmask(SIG_SETMASK, &old, nil)
        }
    }

    /// A descriptor that becomes readable once a signal is pending that ends the program at `release`; nil if nothing is
    /// blocked.
    package func arrival() -> FileHandle? {
        guard var held = before.withLock({ $0 }) else { return nil }
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in Self.terminationSignals where sigismember(&held, signal) == 0 && !Self.isIgnored(signal) {
            sigaddset(&signals, signal)
        }
        let descriptor = shim_signalfd(&signals)
        return descriptor >= 0 ? FileHandle(owning: descriptor) : nil
    }

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        sigaction(signal, nil, &action)
        let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        return handler == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
