import NIOCore
import SnapshotBase

extension Connection {
    /// What all connections share.
    struct SharedServices {
        let connections: Connections
        let pipeline: PipelineQueue
        let router: RequestRouter
        let files: FileSource
        var clock: SystemClock { router.clock }
    }
}

/// The open connections, and those of them that read a file (readers); both up to a limit. Used on the event loop only.
final class Connections {
    private var open: [ObjectIdentifier: Connection] = [:]
    private var readers: [ObjectIdentifier: Connection] = [:]
    private let limits: Limits
    /// When a connection was last opened or closed.
    private(set) var lastActivity: NIODeadline = .now()

    /// A reader that has made no progress for this long may be closed in favour of another.
    private static let readersTimeout = TimeAmount.seconds(5)

    init(limits: Limits) { self.limits = limits }

    var isEmpty: Bool { open.isEmpty }

    /// Admits a connection. At the limit it closes the one that has been waiting for its next request for longest.
    /// - Returns: false where none is waiting for a request.
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

    /// Lets a connection read a file, until `leaveFile`. At the limit it closes the reader that has made no progress
    /// for the longest time.
    /// - Returns: false where all readers make progress.
    func admitToFile(_ connection: Connection) -> Bool {
        if readers.count >= limits.readers {
            let slowest = readers.values.min { $0.progressedAt < $1.progressedAt }
            guard let slowest, slowest.progressedAt + Self.readersTimeout < .now() else { return false }
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
