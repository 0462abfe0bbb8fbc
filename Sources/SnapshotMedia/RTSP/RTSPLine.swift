import Glibc
import SnapshotBase

/// One side has closed its connection or doesn't take what it is sent.
package struct RTSPClosed: Error {}

/// A connection over which RTSP is spoken. Reading never waits; writing waits for as long as the line is patient.
package protocol RTSPLine: AnyObject {
    /// Readable when something has come.
    var descriptor: Int32 { get }
    /// Takes what has come, as much as there is room for; 0 where nothing has.
    func read(into room: UnsafeMutableRawBufferPointer) throws(RTSPClosed) -> Int
    func write(_ bytes: UnsafeRawBufferPointer) throws(RTSPClosed)
}

extension RTSPLine {
    func write(_ bytes: [UInt8]) throws(RTSPClosed) {
        try bytes.withUnsafeBufferPointer { buffer throws(RTSPClosed) in try write(UnsafeRawBufferPointer(buffer)) }
    }
}

extension RTSPLine {
    /// Closes the connection and waits until the other side has closed it, too: a camera that still ends one session may
    /// refuse the next. What it still sends is taken for nobody: a MiB of it at most, then it is told to stop.
    func finish(within timeout: Duration) {
        let deadline = Deadline.after(timeout)
        shutdown(descriptor, Int32(SHUT_WR))
        var rest = [UInt8](repeating: 0, count: 16384)
        var left = 1 << 20
        while left > 0, !deadline.hasPassed {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard retrying({ poll(&ready, 1, Int32(clamping: deadline.millisecondsLeft)) }) > 0 else { return }
            // Straight from the socket, encrypted or not.
            let count = retrying { recv(descriptor, &rest, rest.count, Int32(MSG_DONTWAIT)) }
            if count == 0 || count < 0 && errno != EAGAIN { return }
            left -= max(0, count)
        }
    }
}

/// TCP as it is.
package final class PlainLine: RTSPLine {
    private let socket: FileHandle
    package var descriptor: Int32 { socket.descriptor }

    /// - Parameter timeout: how long what is written may be left untaken.
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
