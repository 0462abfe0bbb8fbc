import Glibc

/// SIGTERM and SIGINT, blocked so that they stay pending until `wait` receives them: none is lost.
struct StopSignals: Sendable {
    /// Blocks the signals in this thread and in all threads that it starts from now on.
    init() {
        var set = Self.set
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Returns as soon as one of the signals has arrived.
    func wait() {
        var set = Self.set
        var number: CInt = 0
        sigwait(&set, &number)
    }

    /// Ends `wait`.
    func raise() { kill(getpid(), SIGTERM) }

    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT] { sigaddset(&set, number) }
        return set
    }
}
