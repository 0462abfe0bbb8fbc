import Glibc
import SnapshotBase
import Synchronization

/// Work that begins at once in a thread of its own; `value` waits for its result. If no thread can be created, `value`
/// does the work.
final class Background<Value: Sendable> {
    private final class Result: Sendable {
        let value = Mutex<Value?>(nil)
    }

    private let result = Result()
    private let work: @Sendable () -> Value
    private var thread: pthread_t?

    init(_ work: @escaping @Sendable () -> Value) {
        self.work = work
        let result = result
        thread = startThread { result.value.withLock { $0 = work() } }
    }

    func value() -> Value {
        if let thread { pthread_join(thread, nil) }
        thread = nil
        return result.value.withLock { $0 } ?? work()
    }

    deinit {
        if let thread { pthread_join(thread, nil) }
    }
}
