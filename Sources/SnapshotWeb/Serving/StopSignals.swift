import Glibc

/// The signals that ask the process to end, held back from their usual effect: none is lost, whenever it comes.
struct StopSignals: Sendable {
    /// Holds them back in this thread and all that it starts from now on.
    init() {
        var set = Self.set
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Returns as soon as one has come.
    func wait() {
        var set = Self.set
        var number: CInt = 0
        sigwait(&set, &number)
    }

    /// Wakes who waits.
    func raise() { kill(getpid(), SIGTERM) }

    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT] { sigaddset(&set, number) }
        return set
    }
}
