import NIOCore

/// Clients whose next request is there before they were told the answer to the last one wait here for their turn. One is
/// answered at a time, and between two the loop looks at its sockets, so that no client's requests hold up another's.
/// Belongs to the event loop.
final class Turns {
    /// The loop goes to its sockets only when nothing is due: this makes nothing due.
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
