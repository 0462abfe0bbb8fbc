import Glibc
import NIOCore
import NIOPosix
import SnapshotBase

/// Reads files on threads of their own, so that a slow disk delays neither the event loop nor answers from elsewhere.
struct FileSource: Sendable {
    private static let chunk = 65536
    /// Pages and health come from the state. On a thread of their own they wait neither for the relay's folder nor
    /// for the chunks of files.
    private let answers = NIOThreadPool(numberOfThreads: 1)
    private let archive = NIOThreadPool(numberOfThreads: 1)
    private let pieces = NIOThreadPool(numberOfThreads: 1)

    init() {
        answers.start()
        archive.start()
        pieces.start()
    }

    func response(
        to route: Route, on loop: any EventLoop, _ read: @escaping @Sendable () -> Response
    ) -> EventLoopFuture<Response> {
        (route.isArchive ? archive : answers).runIfActive(eventLoop: loop, read)
    }

    /// At most `limit` bytes of `file` from `offset` on, and no more than one chunk; empty at its end.
    func chunk(of file: FileHandle, at offset: Int, limit: Int, on loop: any EventLoop) -> EventLoopFuture<
        ByteBuffer
    > {
        let size = min(limit, Self.chunk)
        return pieces.runIfActive(eventLoop: loop) {
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
