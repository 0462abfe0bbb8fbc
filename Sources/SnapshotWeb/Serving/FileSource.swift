import Glibc
import NIOCore
import NIOPosix
import SnapshotBase

/// Reads files beside the event loop, so that a slow disk doesn't hold up anybody's health.
struct FileSource: Sendable {
    private static let chunk = 65536
    private let pool: NIOThreadPool

    init() {
        pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
    }

    /// At most `limit` bytes of `file` from `offset` on, and no more than one chunk; empty at its end.
    func chunk(of file: FileHandle, at offset: Int, limit: Int, on loop: any EventLoop) -> EventLoopFuture<
        ByteBuffer
    > {
        let size = min(limit, Self.chunk)
        return pool.runIfActive(eventLoop: loop) {
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
