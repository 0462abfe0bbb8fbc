import Glibc

/// An accepted connection, plain or with TLS. Reads and writes block; it is closed when the object is released.
final class Wire {
    let descriptor: Int32
    private let tls: TLSSession?

    /// Takes ownership of the descriptor. Nil when the TLS handshake fails, and then the descriptor is closed.
    init?(descriptor: Int32, tls context: TLSContext?) {
        self.descriptor = descriptor
        guard let context else {
            tls = nil
            return
        }
        guard let session = TLSSession(context, descriptor: descriptor) else {
            Glibc.close(descriptor)
            return nil
        }
        tls = session
    }

    deinit {
        tls?.shutdown()
        close(descriptor)
    }

    var isSecure: Bool { tls != nil }

    /// Waits for bytes and appends them; false at the end of the stream or after an error.
    func read(into buffer: inout [UInt8]) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16_384)
        let count = chunk.withUnsafeMutableBytes { room in
            if let tls { tls.read(into: room) } else { recv(descriptor, room.baseAddress, room.count, 0) }
        }
        guard count > 0 else { return false }
        buffer += chunk[..<count]
        return true
    }

    /// Writes all of the bytes; false when the client has gone.
    func write(_ bytes: some Collection<UInt8>) -> Bool {
        let bytes = ContiguousArray(bytes)
        return bytes.withUnsafeBytes { all in
            var rest = all[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count =
                    if let tls { tls.write(part) } else {
                        Glibc.send(descriptor, part.baseAddress, part.count, 0)
                    }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    /// Makes the next close reset the connection (RST) instead of ending it in order.
    func armReset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        tls?.abandon()
    }

    /// Returns when the client has closed the connection; discards what it still sends.
    func waitForClose() {
        var scrap = [UInt8](repeating: 0, count: 4096)
        while recv(descriptor, &scrap, scrap.count, 0) > 0 {}
    }
}
