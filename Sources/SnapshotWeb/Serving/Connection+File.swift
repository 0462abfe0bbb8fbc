import NIOCore
import SnapshotBase

extension Connection {
    /// Sends part of a file in chunks. Each is read outside the event loop, and only when the one before has been sent.
    func stream(_ file: FileHandle, offset: Int, count: Int, keepAlive: Bool) {
        guard let context, phase == .answering else { return }
        guard count > 0 else { return end(keepAlive: keepAlive) }
        setDeadline(in: Self.stallTimeout)
        services.files.chunk(of: file, at: offset, limit: count, on: context.eventLoop).assumeIsolated().whenComplete {
            result in
            // The file became shorter than the Content-Length that was sent.
            guard let context = self.context, self.phase == .answering, case .success(let chunk) = result,
                chunk.readableBytes > 0
            else { return self.close() }
            let written = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(self.wrapOutboundOut(chunk), promise: written)
            written.futureResult.assumeIsolated().whenSuccess {
                self.stream(
                    file, offset: offset + chunk.readableBytes, count: count - chunk.readableBytes,
                    keepAlive: keepAlive)
            }
        }
    }
}
