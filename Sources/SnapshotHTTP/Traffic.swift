import CLibCurl
import SnapshotBase

/// The bytes sent and received over a network, including the overhead of TLS, TCP and IP, from the first SYN on.
package struct TrafficFigures: Equatable, Sendable {
    package var sent = 0
    package var received = 0

    package init(sent: Int = 0, received: Int = 0) {
        self.sent = sent
        self.received = received
    }

    static func - (left: Self, right: Self) -> Self {
        Self(sent: max(0, left.sent - right.sent), received: max(0, left.received - right.received))
    }

    static func + (left: Self, right: Self) -> Self {
        Self(sent: left.sent.adding(right.sent), received: left.received.adding(right.received))
    }
}

/// Counts the traffic of libcurl's sockets. It must live as long as the last of their connections.
final class TrafficCounter {
    /// An array, as there are few sockets: the metadata of a dictionary type would cost more at each start than a
    /// search.
    private var open: [(socket: Int32, counted: TrafficFigures)] = []
    private var total = TrafficFigures()
    private let sockets: UnsafeMutablePointer<shim_sockets>

    init() {
        sockets = .allocate(capacity: 1)
        sockets.initialize(to: shim_sockets(context: nil, opened: noteOpened, closes: noteClosing))
    }

    deinit { sockets.deallocate() }

    /// Counts what this handle's connections send and receive.
    func count(on easy: UnsafeMutableRawPointer) {
        sockets.pointee.context = Unmanaged.passUnretained(self).toOpaque()
        _ = shim_set_sockets(easy, sockets)
    }

    /// The traffic since the last call, including that of open connections.
    func take() -> TrafficFigures {
        for index in open.indices { count(index) }
        defer { total = TrafficFigures() }
        return total
    }

    fileprivate func begin(_ socket: Int32) { open.append((socket, TrafficFigures())) }

    fileprivate func end(_ socket: Int32) {
        guard let index = open.firstIndex(where: { $0.socket == socket }) else { return }
        count(index)
        open.remove(at: index)
    }

    private func count(_ index: Int) {
        var (sent, received): (UInt64, UInt64) = (0, 0)
        guard shim_socket_traffic(open[index].socket, &sent, &received) == 1 else { return }
        let now = TrafficFigures(sent: Int(clamping: sent), received: Int(clamping: received))
        total = total + (now - open[index].counted)
        open[index].counted = now
    }
}

private func counter(_ context: UnsafeMutableRawPointer?) -> TrafficCounter? {
    context.map { Unmanaged<TrafficCounter>.fromOpaque($0).takeUnretainedValue() }
}

private let noteOpened: @convention(c) (UnsafeMutableRawPointer?, Int32) -> Void = { counter($0)?.begin($1) }
private let noteClosing: @convention(c) (UnsafeMutableRawPointer?, Int32) -> Void = { counter($0)?.end($1) }
