/// Detects a change of the video's size or encoding in mid-stream. The sequence parameter set (SPS) holds both, and
/// ffmpeg keeps the first SPS in the files that it writes, so players would misread the rest.
package struct FormatWatch: Sendable {
    private enum Codec { case h264, h265 }

    /// The codec of each RTP payload type.
    private var codecs: [UInt8: Codec] = [:]
    /// The last SPS of each `seq_parameter_set_id`.
    private var known: [UInt8: [UInt8]] = [:]

    private static let mostKnown = 32
    private static let longestSet = 1024

    /// - Parameter description: the camera's session description (SDP); untrusted.
    package init(description: [UInt8]) {
        for line in String(decoding: description, as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard let (type, coding) = line.trimmingPrefix("a=rtpmap:").cutAtFirst(" "), line.hasPrefix("a=rtpmap:"),
                let number = UInt8(type), number < 128
            else { continue }
            switch coding.lowercased().split(separator: "/").first {
            case "h264": codecs[number] = .h264
            case "h265", "hevc": codecs[number] = .h265
            default: break
            }
        }
    }

    /// - Parameter packets: whole interleaved packets.
    /// - Returns: how many bytes precede the first parameter set that differs from the known one of its id; all of them
    ///   where none does.
    package mutating func unchanged(in packets: UnsafeRawBufferPointer) -> Int {
        var position = 0
        while position + 4 <= packets.count {
            let size = Int(packets[position + 2]) << 8 | Int(packets[position + 3])
            let end = position + 4 + size
            guard end <= packets.count else { break }
            // RTP has an even channel; the next one carries RTCP.
            let packet = UnsafeRawBufferPointer(rebasing: packets[(position + 4)..<end])
            if packets[position + 1] % 2 == 0, isChanged(packet) { return position }
            position = end
        }
        return packets.count
    }

    private mutating func isChanged(_ packet: UnsafeRawBufferPointer) -> Bool {
        guard packet.count > 12, packet[0] >> 6 == 2, let codec = codecs[packet[1] & 0x7F] else { return false }
        var start = 12 + 4 * Int(packet[0] & 15)
        if packet[0] & 0x10 != 0 {
            guard packet.count >= start + 4 else { return false }
            start += 4 + 4 * (Int(packet[start + 2]) << 8 | Int(packet[start + 3]))
        }
        guard packet.count > start + 2 else { return false }
        let payload = UnsafeRawBufferPointer(rebasing: packet[start...])
        return codec == .h264 ? isChangedH264(payload) : isChangedH265(payload)
    }

    /// An SPS is a packet of its own (type 7), or one of several units in an aggregation packet (24); RFC 6184.
    private mutating func isChangedH264(_ payload: UnsafeRawBufferPointer) -> Bool {
        switch payload[0] & 31 {
        case 7: return hasChanged(payload)
        case 24: return units(payload, from: 1).contains { $0[0] & 31 == 7 && hasChanged($0) }
        default: return false
        }
    }

    /// An SPS is a packet of its own (type 33), or one of several units in an aggregation packet (48); RFC 7798.
    private mutating func isChangedH265(_ payload: UnsafeRawBufferPointer) -> Bool {
        switch payload[0] >> 1 & 63 {
        case 33: return hasChanged(payload)
        case 48: return units(payload, from: 2).contains { $0[0] >> 1 & 63 == 33 && hasChanged($0) }
        default: return false
        }
    }

    private func units(_ payload: UnsafeRawBufferPointer, from start: Int) -> [UnsafeRawBufferPointer] {
        var units: [UnsafeRawBufferPointer] = []
        var position = start
        while position + 2 < payload.count {
            let size = Int(payload[position]) << 8 | Int(payload[position + 1])
            guard size > 0, position + 2 + size <= payload.count else { break }
            units.append(UnsafeRawBufferPointer(rebasing: payload[(position + 2)..<(position + 2 + size)]))
            position += 2 + size
        }
        return units
    }

    /// Whether this SPS differs from the known one of its id. Cameras may send several, each with an id of its own.
    private mutating func hasChanged(_ unit: UnsafeRawBufferPointer) -> Bool {
        let isH264 = unit[0] & 31 == 7
        // The id follows profile and level. In H.265 sub-layers would shift it; cameras have none.
        guard unit.count <= Self.longestSet,
            let number = Self.number(in: unit, at: isH264 ? 4 : 15), isH264 || unit.count > 2 && unit[2] >> 1 & 7 == 0
        else { return false }
        let bytes = Array(unit)
        defer { if known.count < Self.mostKnown || known[number] != nil { known[number] = bytes } }
        return known[number].map { $0 != bytes } ?? false
    }

    /// The unsigned Exp-Golomb number that begins at this byte; nil where it exceeds what an SPS id may be.
    private static func number(in unit: UnsafeRawBufferPointer, at position: Int) -> UInt8? {
        guard unit.count > position + 1 else { return nil }
        let bits = UInt16(unit[position]) << 8 | UInt16(unit[position + 1])
        let zeros = bits.leadingZeroBitCount
        guard zeros < 6 else { return nil }
        return UInt8(truncatingIfNeeded: (bits >> (15 - 2 * zeros)) - 1)
    }
}
