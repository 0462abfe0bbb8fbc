import NIOCore

/// A queue of connections whose next request arrived before the last response was sent (pipelining). They take turns,
/// and the event loop serves its sockets in between, so that no client's requests delay another's. Used on the event
/// loop only.
final class PipelineQueue {
    /// The delay before each turn: the event loop serves its sockets only while no task is due.
    private static let pause = TimeAmount.microseconds(50)

    private let loop: any EventLoop
    private var waiting = CircularBuffer<Connection>()
    private var isRunning = false

    init(loop: any EventLoop) { self.loop = loop }

    func add(_ connection: Connection) {
        waiting.append(connection)
        if !isRunning { run() }
    }

    private func run() {
        isRunning = !waiting.isEmpty
        guard isRunning else { return }
        loop.assumeIsolated().scheduleTask(in: Self.pause) {
            self.waiting.popFirst()?.takeTurn()
            self.run()
        }
    }
}
