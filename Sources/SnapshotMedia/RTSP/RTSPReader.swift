import Glibc
import SnapshotBase

/// Splits an RTSP connection's bytes into messages and interleaved packets. Each byte is examined a few times at most,
/// incomplete items are bounded in size, and packets are handed out in place, without a copy.
package struct RTSPReader: Sendable {
    package enum Item: Equatable, Sendable {
        case message(RTSPMessage)
        /// Whole interleaved packets with their 4-byte headers: their range in the buffer, valid until the next `fill`.
        case packets(Range<Int>)
    }

    private static let longestHead = 16384
    private static let longestBody = 65536
    /// Carriage returns and line feeds between two messages.
    private static let mostBreaks = 256
    /// In bytes: room for three of the longest packets or messages.
    private static let capacity = 1 << 18

    private var buffer = [UInt8](repeating: 0, count: 1 << 14)
    /// The range of the buffer whose bytes weren't handed out yet.
    private var held = 0..<0
    /// The position up to which the buffer was searched for the end of a head.
    private var searched = 0
    private var breaks = 0
    /// A message whose body isn't complete, and that body's length. Its head isn't parsed again.
    private var begun: (message: RTSPMessage, length: Int)?
    /// Whether the last `fill` used all the room: more bytes may be waiting in the socket.
    package private(set) var isFull = false

    package init() {}

    /// Lets `read` put bytes into the free part of the buffer.
    /// - Parameter read: returns the number of bytes that it has put there.
    package mutating func fill(_ read: (UnsafeMutableRawBufferPointer) -> Int) {
        makeRoom()
        let end = held.upperBound
        let count = buffer.withUnsafeMutableBytes { all in
            let free = UnsafeMutableRawBufferPointer(rebasing: all[end...])
            return min(max(0, read(free)), free.count)
        }
        held = held.lowerBound..<(end + count)
        isFull = held.upperBound == buffer.count
    }

    /// Adds bytes; those that exceed the buffer's largest size are dropped.
    package mutating func append(_ bytes: some Collection<UInt8>) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let before = rest.count
            fill { room in
                let piece = rest.prefix(room.count)
                room.copyBytes(from: piece)
                rest = rest.dropFirst(piece.count)
                return piece.count
            }
            // The buffer is full at its largest size: the rest is dropped.
            if rest.count == before { return }
        }
    }

    private mutating func makeRoom() {
        if held.lowerBound > 0 {
            let kept = held
            buffer.withUnsafeMutableBytes { all in
                guard let base = all.baseAddress else { return }
                memmove(base, base + kept.lowerBound, kept.count)
            }
            searched = max(0, searched - kept.lowerBound)
            held = 0..<kept.count
        }
        let wanted = isFull ? buffer.count * 2 : buffer.count
        let grown = min(Self.capacity, wanted)
        if grown > buffer.count { buffer += [UInt8](repeating: 0, count: grown - buffer.count) }
    }

    /// Passes the bytes of an item that `next` has returned, valid until the next `fill`.
    package func withBytes<Result>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }

    /// The next whole item; nil while more bytes are needed.
    package mutating func next() throws(RTSPMalformed) -> Item? {
        if let begun { return finish(begun.message, length: begun.length) }
        let media = interleavedLength()
        if media > 0 { return .packets(take(media)) }
        while let first = held.first, buffer[first] == 13 || buffer[first] == 10 {
            breaks += 1
            guard breaks <= Self.mostBreaks else { throw RTSPMalformed() }
            _ = take(1)
        }
        guard let first = held.first, buffer[first] != UInt8(ascii: "$") else { return nil }
        guard let end = headEnd() else {
            guard held.count < Self.longestHead else { throw RTSPMalformed() }
            return nil
        }
        let message = try RTSPMessage(head: buffer[held.lowerBound..<end])
        let length = message.values("Content-Length").first.map { Int($0) ?? -1 } ?? 0
        guard (0...Self.longestBody).contains(length) else { throw RTSPMalformed() }
        _ = take(end - held.lowerBound)
        return finish(message, length: length)
    }

    private mutating func finish(_ message: RTSPMessage, length: Int) -> Item? {
        guard held.count >= length else {
            begun = (message, length)
            return nil
        }
        begun = nil
        var message = message
        message.body = Array(buffer[take(length)])
        return .message(message)
    }

    private mutating func take(_ count: Int) -> Range<Int> {
        let taken = held.lowerBound..<(held.lowerBound + count)
        held = taken.upperBound..<held.upperBound
        searched = held.lowerBound
        if count > 1 { breaks = 0 }
        return taken
    }

    /// How many of the held bytes are whole packets.
    private func interleavedLength() -> Int {
        var position = held.lowerBound
        while position + 4 <= held.upperBound, buffer[position] == UInt8(ascii: "$") {
            let end = position + 4 + (Int(buffer[position + 2]) << 8 | Int(buffer[position + 3]))
            guard end <= held.upperBound else { break }
            position = end
        }
        return position - held.lowerBound
    }

    /// The position after the empty line that ends the head; nil until it arrives. A search resumes at `searched`.
    private mutating func headEnd() -> Int? {
        let limit = min(held.upperBound, held.lowerBound + Self.longestHead)
        var position = max(searched, held.lowerBound)
        while position < limit {
            if buffer[position] == 10 {
                var next = position + 1
                if next < limit, buffer[next] == 13 { next += 1 }
                guard next < limit else { break }
                if buffer[next] == 10 { return next + 1 }
            }
            position += 1
        }
        searched = position
        return nil
    }
}
