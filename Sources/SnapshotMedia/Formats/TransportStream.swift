/// A filter for MPEG-TS (ISO/IEC 13818-1) that passes whole packets from a key frame on, preceded by the program
/// tables, so that a receiver can start decoding at once.
package struct TransportStream: Sendable {
    package static let packetSize = 188

    private var remainder: [UInt8] = []
    /// The last packets with the program association table (PAT) and the program map table (PMT).
    private var programTable: [UInt8]?
    private var mapTable: [UInt8]?
    /// The packet identifiers (PID) of the PMT, which the PAT names, and of the video, which the PMT names.
    private var mapIdentifier: Int?
    private var videoIdentifier: Int?
    /// Whether packets are passed on: from a key frame until `close`.
    private var isOpen = false

    package init() {}

    /// Drops all packets until the next key frame.
    package mutating func close() { isOpen = false }

    /// - Returns: the packets to pass on; empty while closed.
    package mutating func read(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        remainder += bytes
        var passed: [UInt8] = []
        var position = 0
        while position + Self.packetSize <= remainder.count {
            guard remainder[position] == 0x47 else {
                // Not at a packet's start, which shouldn't happen in a pipe: search for the next sync byte.
                position += 1
                isOpen = false
                continue
            }
            let packet = remainder[position..<(position + Self.packetSize)]
            position += Self.packetSize
            rememberTable(packet)
            if !isOpen, isKeyFrame(packet), let programTable, let mapTable {
                isOpen = true
                passed += programTable + mapTable
            }
            if isOpen { passed += packet }
        }
        remainder.removeFirst(position)
        return passed
    }

    private static func identifier(_ packet: ArraySlice<UInt8>) -> Int {
        let start = packet.startIndex
        return Int(packet[start + 1] & 0x1F) << 8 | Int(packet[start + 2])
    }

    private mutating func rememberTable(_ packet: ArraySlice<UInt8>) {
        let identifier = Self.identifier(packet)
        if identifier == 0 {
            programTable = Array(packet)
            mapIdentifier = Self.section(packet, table: 0).flatMap { Self.mapIdentifier($0) }
        } else if identifier == mapIdentifier {
            mapTable = Array(packet)
            videoIdentifier = Self.section(packet, table: 2).flatMap { Self.videoIdentifier($0) }
        }
    }

    /// The section that begins in a packet, without its checksum; nil where it isn't of that table, or isn't whole.
    private static func section(_ packet: ArraySlice<UInt8>, table: UInt8) -> [UInt8]? {
        let bytes = Array(packet)
        guard bytes[1] & 0x40 != 0, bytes[3] & 0x30 == 0x10 else { return nil }
        let start = 5 + Int(bytes[4])
        guard start + 3 <= bytes.count, bytes[start] == table else { return nil }
        let length = Int(bytes[start + 1] & 0x0F) << 8 | Int(bytes[start + 2])
        guard length >= 4, start + 3 + length <= bytes.count else { return nil }
        return Array(bytes[start..<(start + 3 + length - 4)])
    }

    private static func mapIdentifier(_ section: [UInt8]) -> Int? {
        var position = 8
        while position + 4 <= section.count {
            let program = Int(section[position]) << 8 | Int(section[position + 1])
            if program != 0 { return Int(section[position + 2] & 0x1F) << 8 | Int(section[position + 3]) }
            position += 4
        }
        return nil
    }

    private static func videoIdentifier(_ section: [UInt8]) -> Int? {
        guard section.count >= 12 else { return nil }
        var position = 12 + (Int(section[10] & 0x0F) << 8 | Int(section[11]))
        while position + 5 <= section.count {
            // The stream types of H.264, H.265, MPEG-4 and MPEG-2 video.
            if [0x1B, 0x24, 0x10, 0x02].contains(section[position]) {
                return Int(section[position + 1] & 0x1F) << 8 | Int(section[position + 2])
            }
            position += 5 + (Int(section[position + 3] & 0x0F) << 8 | Int(section[position + 4]))
        }
        return nil
    }

    /// Whether a random access point of the video begins in the packet.
    private func isKeyFrame(_ packet: ArraySlice<UInt8>) -> Bool {
        let start = packet.startIndex
        guard Self.identifier(packet) == videoIdentifier, packet[start + 1] & 0x40 != 0 else { return false }
        return packet[start + 3] & 0x20 != 0 && packet[start + 4] > 0 && packet[start + 5] & 0x40 != 0
    }
}
