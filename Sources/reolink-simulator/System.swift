import Glibc
import Synchronization

/// Held while a descriptor exists that isn't marked close-on-exec yet, and while a child is started: a connection
/// that a child had too would not close when it is closed here.
let inheritance = Mutex(())

func closeOnExec(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

/// Sleeps on the calling thread.
func pause(milliseconds: Int) {
    let end = ContinuousClock.now + .milliseconds(milliseconds)
    while case let left = end - .now, left > .zero {
        let (seconds, attoseconds) = left.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        nanosleep(&time, nil)
    }
}
