import CLibCurl
import Glibc
import SnapshotBase
import SnapshotHTTP

/// A connection over TLS. libcurl makes the handshake (`CURLOPT_CONNECT_ONLY`), and then only encrypts and decrypts.
package final class TLSConnection: RTSPConnection {
    private let handle: EasyHandle
    private let timeout: Duration
    package let descriptor: Int32

    /// - Parameters:
    ///   - trust: how the server's certificate is verified; nothing is sent before that.
    ///   - timeout: how long the peer may leave sent data unacknowledged.
    package init(_ handshake: TLSHandshake, trust: TLSTrust, timeout: Duration) throws(HTTPFailure) {
        handle = try handshake.connection(trusting: trust)
        self.timeout = timeout
        var socket = curl_socket_t(-1)
        guard shim_get_socket(handle.pointer, &socket) == CURLE_OK, socket >= 0 else {
            throw HTTPFailure(kind: .lost, why: "the connection is gone")
        }
        descriptor = socket
        limitWaiting(descriptor, timeout)
    }

    /// Reads until libcurl has nothing left, since bytes that it has decrypted already don't make the descriptor
    /// readable.
    package func read(into room: UnsafeMutableRawBufferPointer) throws(RTSPClosed) -> Int {
        var filled = 0
        while filled < room.count, let base = room.baseAddress {
            var count = 0
            let code = shim_easy_recv(handle.pointer, base + filled, room.count - filled, &count)
            if code == CURLE_AGAIN { break }
            // Return the bytes that precede the end; the next call then throws.
            guard code == CURLE_OK, count > 0 else {
                if filled > 0 { break }
                throw RTSPClosed()
            }
            filled += count
        }
        return filled
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(RTSPClosed) {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            var count = 0
            switch shim_easy_send(handle.pointer, base, rest.count, &count) {
            case CURLE_OK: rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            case CURLE_AGAIN:
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                guard retrying({ poll(&ready, 1, Int32(clamping: timeout.milliseconds)) }) > 0 else {
                    throw RTSPClosed()
                }
            default: throw RTSPClosed()
            }
        }
    }
}
