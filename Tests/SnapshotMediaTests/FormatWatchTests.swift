import Testing

@testable import SnapshotMedia

@Suite struct FormatWatchTests {
    private static let description = """
        v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\nm=video 0 RTP/AVP 98\r
        a=rtpmap:98 h265/90000\r\nm=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000\r\n
        """

    /// The number of the set follows the profile: a first bit 1 is number 0, `0b010…` is number 1.
    private static func h264(_ rest: [UInt8]) -> [UInt8] { [0x67, 0x42, 0xC0, 0x1E] + rest }
    private static func h265(_ rest: [UInt8]) -> [UInt8] {
        [0x42, 0x01, 0x01] + [UInt8](repeating: 0x60, count: 12) + rest
    }
    private static func together(_ units: [[UInt8]], _ header: [UInt8]) -> [UInt8] {
        header + units.flatMap { [UInt8($0.count >> 8), UInt8($0.count & 0xFF)] + $0 }
    }

    private func frame(_ payload: [UInt8], type: UInt8 = 96, channel: UInt8 = 0, extended: Bool = false) -> [UInt8] {
        var packet: [UInt8] = [extended ? 0x90 : 0x80, 0x80 | type] + [UInt8](repeating: 7, count: 10)
        if extended { packet += [0xBE, 0xDE, 0, 1, 1, 2, 3, 4] }
        packet += payload
        return [UInt8(ascii: "$"), channel, UInt8(packet.count >> 8), UInt8(packet.count & 0xFF)] + packet
    }

    /// Whether each of these frames is a change.
    private func changes(_ frames: [[UInt8]], _ description: String = description) -> [Bool] {
        var watch = FormatWatch(description: Array(description.utf8))
        return frames.map { frame in frame.withUnsafeBytes { watch.unchanged(in: $0) } < frame.count }
    }

    @Test(arguments: [false, true])
    func anotherSetUnderTheSameNumber(_ extended: Bool) {
        let (one, other) = (Self.h264([0x8A, 1]), Self.h264([0x8B, 1]))
        let frames = [one, one, [0x65, 1, 2], other].map { frame($0, extended: extended) }
        #expect(changes(frames) == [false, false, false, true])
        let h265 = [Self.h265([0xA0, 1]), Self.h265([0xA0, 2])].map { frame($0, type: 98, extended: extended) }
        #expect(changes(h265) == [false, true])
    }

    @Test func amongOthersInOnePacket() {
        let h264 = [Self.h264([0x8A, 1]), Self.h264([0x8B, 1])].map {
            frame(Self.together([[0x09, 1], $0, [0x68, 1]], [24]))
        }
        #expect(changes(h264) == [false, true])
        let h265 = [Self.h265([0xA0, 1]), Self.h265([0xB0, 1])].map {
            frame(Self.together([[0x40, 1, 2], $0], [0x60, 1]), type: 98)
        }
        #expect(changes(h265) == [false, true])
    }

    @Test func setsWithNumbersOfTheirOwnTakeTurns() {
        let turns = [Self.h264([0x8A, 1]), Self.h264([0x4A, 1]), Self.h264([0x8A, 1]), Self.h264([0x4A, 1])]
        #expect(changes(turns.map { frame($0) }) == [false, false, false, false])
    }

    @Test func whatIsNoVideoIsNotLookedAt() {
        let (one, other) = (Self.h264([0x8A, 1]), Self.h264([0x8B, 1]))
        #expect(changes([frame(one, type: 97), frame(other, type: 97)]) == [false, false])
        #expect(changes([frame(one), frame(other, channel: 1)]) == [false, false])
        #expect(changes([frame(one), frame(other)], "m=video 0 RTP/AVP 26\r\n") == [false, false])
    }

    /// A packet that is cut anywhere is no change.
    @Test func whatIsCutShort() {
        let whole = frame(Self.together([Self.h264([0x8A, 1])], [24]), extended: true)
        for count in 0..<whole.count { #expect(changes([Array(whole.prefix(count))]) == [false]) }
        for size in 0..<40 {
            let packet = Array(whole.dropFirst(4).prefix(size))
            #expect(changes([[0x24, 0, 0, UInt8(packet.count)] + packet]) == [false])
        }
    }

    @Test func whatCameBeforeGoesOn() {
        let (one, other) = (frame(Self.h264([0x8A, 1])), frame(Self.h264([0x8B, 1])))
        var watch = FormatWatch(description: Array(Self.description.utf8))
        #expect((one + one + other + one).withUnsafeBytes { watch.unchanged(in: $0) } == 2 * one.count)
    }
}
