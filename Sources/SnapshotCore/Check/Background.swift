import Glibc
import Synchronization

/// Work on a thread of its own, begun at once; `value` waits for its end. Where there is no thread to be had, it is
/// done at once.
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
        thread = start { result.value.withLock { $0 = work() } }
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

private final class Body: Sendable {
    let call: @Sendable () -> Void
    init(_ call: @escaping @Sendable () -> Void) { self.call = call }
}

private func start(_ call: @escaping @Sendable () -> Void) -> pthread_t? {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Body(call))
    let code = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().call()
            return nil
        }, argument.toOpaque())
    if code == 0 { return thread }
    argument.release()
    return nil
}
