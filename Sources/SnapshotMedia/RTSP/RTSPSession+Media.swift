/// Media from the server to ffmpeg.
extension RTSPSession {
    /// Passes interleaved packets on unchanged, up to the first with another format; that one ends the session.
    mutating func pass(_ range: Range<Int>) throws(RTSPClosed) {
        let fitting = fromServer.withBytes(range) { format?.unchanged(in: $0) ?? $0.count }
        received(range.count)
        do throws(RTSPClosed) {
            try Self.pass(range.prefix(fitting), of: fromServer, to: client)
        } catch {
            end = .clientClosed
            throw error
        }
        if fitting < range.count { end = end ?? .reformatted }
    }

    mutating func takeDatagrams() {
        let frames = media.take(now: .now())
        guard !frames.isEmpty else { return }
        let fitting = frames.withUnsafeBytes { format?.unchanged(in: $0) ?? $0.count }
        received(frames.count)
        try? write(Array(frames.prefix(fitting)))
        if fitting < frames.count { end = end ?? .reformatted }
    }
}
