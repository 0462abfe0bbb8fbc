import Glibc
import NIOCore
import NIOPosix
import SnapshotBase

/// Reads files on threads of their own, so that a slow disk delays neither the event loop nor other responses.
struct FileSource: Sendable {
    private static let chunkSize = 65536
    /// For pages and health, which are made from the state: they must wait neither for the relay's folder nor for the
    /// chunks of files.
    private let statePool = NIOThreadPool(numberOfThreads: 1)
    /// For responses that need the relay's folder (`Route.needsRelayFolder`).
    private let relayFolderPool = NIOThreadPool(numberOfThreads: 1)
    private let chunkPool = NIOThreadPool(numberOfThreads: 1)

    init() {
        statePool.start()
        relayFolderPool.start()
        chunkPool.start()
    }

    func response(
        to route: Route, on loop: any EventLoop, _ read: @escaping @Sendable () -> Response
    ) -> EventLoopFuture<Response> {
        (route.needsRelayFolder ? relayFolderPool : statePool).runIfActive(eventLoop: loop, read)
    }

    /// At most `limit` bytes of `file` from `offset` on, and no more than one chunk; empty at its end.
    func chunk(of file: FileHandle, at offset: Int, limit: Int, on loop: any EventLoop) -> EventLoopFuture<
        ByteBuffer
    > {
        let size = min(limit, Self.chunkSize)
        return chunkPool.runIfActive(eventLoop: loop) {
            var buffer = ByteBufferAllocator().buffer(capacity: size)
            try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
                let got = retrying { pread(file.descriptor, bytes.baseAddress, size, off_t(offset)) }
                guard got >= 0 else { throw SystemError("pread") }
                return got
            }
            return buffer
        }
    }
}
