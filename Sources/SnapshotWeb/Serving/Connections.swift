import NIOCore

/// The open connections, at most so many. Belongs to the event loop.
final class Connections {
    private var open: [ObjectIdentifier: Connection] = [:]
    private let limit: Int
    /// When the last answer ended or the last connection was taken or left.
    private(set) var lastActivity: NIODeadline = .now()

    init(limit: Int) { self.limit = limit }

    var isEmpty: Bool { open.isEmpty }

    /// Takes one more; where there is no room, the one that has waited longest without asking has to go.
    /// - Returns: false where all are busy.
    func admit(_ connection: Connection) -> Bool {
        lastActivity = .now()
        if open.count >= limit {
            let waiting = open.values.filter(\.isWaiting)
            guard let oldest = waiting.min(by: { $0.waitingSince < $1.waitingSince }) else { return false }
            remove(oldest)
            oldest.close()
        }
        open[ObjectIdentifier(connection)] = connection
        return true
    }

    func remove(_ connection: Connection) {
        lastActivity = .now()
        open[ObjectIdentifier(connection)] = nil
    }

    func closeWaiting() {
        for connection in open.values where connection.isWaiting { connection.close() }
    }
}
