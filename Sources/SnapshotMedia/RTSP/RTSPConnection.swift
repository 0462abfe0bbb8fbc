import Glibc
import SnapshotBase

/// The error where the peer has closed its connection, or didn't accept data within the timeout.
package struct RTSPClosed: Error {}

/// A connection that carries RTSP, plain or encrypted. Reading never waits; writing waits up to its timeout.
package protocol RTSPConnection: AnyObject {
    /// The socket, to be polled for reading.
    var descriptor: Int32 { get }
    /// Reads what has arrived, up to the size of `room`.
    /// - Returns: the number of bytes; 0 where nothing has arrived.
    func read(into room: UnsafeMutableRawBufferPointer) throws(RTSPClosed) -> Int
    func write(_ bytes: UnsafeRawBufferPointer) throws(RTSPClosed)
}

extension RTSPConnection {
    func write(_ bytes: [UInt8]) throws(RTSPClosed) {
        try bytes.withUnsafeBufferPointer { buffer throws(RTSPClosed) in try write(UnsafeRawBufferPointer(buffer)) }
    }
}

extension RTSPConnection {
    /// Shuts down the sending side and waits until the peer closes too: a camera that is still ending one session may
    /// refuse the next. Up to 1 MiB of what the peer still sends is discarded; after that the connection is reset.
    func finish(within timeout: Duration) {
        let deadline = Deadline.after(timeout)
        shutdown(descriptor, Int32(SHUT_WR))
        var rest = [UInt8](repeating: 0, count: 16384)
        var left = 1 << 20
        while left > 0, !deadline.hasPassed {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard retrying({ poll(&ready, 1, Int32(clamping: deadline.millisecondsLeft)) }) > 0 else { return }
            // The bytes are discarded, so TLS needn't decrypt them.
            let count = retrying { recv(descriptor, &rest, rest.count, Int32(MSG_DONTWAIT)) }
            if count == 0 || count < 0 && errno != EAGAIN { return }
            left -= max(0, count)
        }
    }
}

/// Plain TCP.
package final class PlainConnection: RTSPConnection {
    private let socket: FileHandle
    package var descriptor: Int32 { socket.descriptor }

    /// - Parameter timeout: how long the peer may leave sent data unacknowledged.
    package init(_ socket: FileHandle, timeout: Duration) {
        self.socket = socket
        limitWaiting(socket.descriptor, timeout)
    }

    package func read(into room: UnsafeMutableRawBufferPointer) throws(RTSPClosed) -> Int {
        let count = retrying { recv(descriptor, room.baseAddress, room.count, Int32(MSG_DONTWAIT)) }
        if count > 0 { return count }
        if count < 0, errno == EAGAIN { return 0 }
        throw RTSPClosed()
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(RTSPClosed) {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            let count = retrying { send(descriptor, base, rest.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw RTSPClosed() }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
