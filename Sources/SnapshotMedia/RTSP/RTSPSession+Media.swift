/// Media from the server to ffmpeg.
extension RTSPSession {
    /// Passes interleaved packets on unchanged, up to the first packet with another format, which ends the session.
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
        let packets = media.take(now: clock.up())
        guard !packets.isEmpty else { return }
        let fitting = packets.withUnsafeBytes { format?.unchanged(in: $0) ?? $0.count }
        received(packets.count)
        try? write(Array(packets.prefix(fitting)))
        if fitting < packets.count { end = end ?? .reformatted }
    }
}
