import NIOCore

extension Connection {
    /// What all connections share.
    struct House {
        let connections: Connections
        let turns: Turns
        let reception: Reception
        let files: FileSource
    }
}

/// The open connections, at most so many, and who of them reads a file. Belongs to the event loop.
final class Connections {
    private var open: [ObjectIdentifier: Connection] = [:]
    private var readers: [ObjectIdentifier: Connection] = [:]
    private let limits: Limits
    /// When the last answer ended or the last connection was taken or left.
    private(set) var lastActivity: NIODeadline = .now()

    /// A reader that has taken nothing for so long gives its place to the next.
    private static let readersPatience = TimeAmount.seconds(5)

    init(limits: Limits) { self.limits = limits }

    var isEmpty: Bool { open.isEmpty }

    /// Takes one more; where there is no room, the one that has waited longest without asking has to go.
    /// - Returns: false where all are busy.
    func admit(_ connection: Connection) -> Bool {
        lastActivity = .now()
        if open.count >= limits.connections {
            let waiting = open.values.filter(\.isWaiting)
            guard let oldest = waiting.min(by: { $0.waitingSince < $1.waitingSince }) else { return false }
            dismiss(oldest)
        }
        open[ObjectIdentifier(connection)] = connection
        return true
    }

    /// Gives a connection the right to read a file, which it has until `leaveFile`; where there is no room, the reader that
    /// has taken nothing for longest has to go.
    /// - Returns: false where all go on reading.
    func admitToFile(_ connection: Connection) -> Bool {
        if readers.count >= limits.readers {
            let slowest = readers.values.min { $0.progressedAt < $1.progressedAt }
            guard let slowest, slowest.progressedAt + Self.readersPatience < .now() else { return false }
            dismiss(slowest)
        }
        readers[ObjectIdentifier(connection)] = connection
        return true
    }

    func leaveFile(_ connection: Connection) { readers[ObjectIdentifier(connection)] = nil }

    func remove(_ connection: Connection) {
        lastActivity = .now()
        open[ObjectIdentifier(connection)] = nil
        leaveFile(connection)
    }

    private func dismiss(_ connection: Connection) {
        remove(connection)
        connection.close()
    }

    func closeWaiting() {
        for connection in open.values where connection.isWaiting { connection.close() }
    }
}
