import SnapshotBase
import Testing

@testable import SnapshotMedia

@Suite struct RTPOrderTests {
    private let start = Uptime(nanoseconds: 1_000_000_000_000)

    private func packet(_ number: Int, size: Int = 20) -> [UInt8] {
        [0x80, 96, UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)] + [UInt8](repeating: 0, count: size)
    }

    private func numbers(_ packets: [[UInt8]]) -> [Int] { packets.map { Int($0[2]) << 8 | Int($0[3]) } }

    /// What comes out if the packets come a millisecond apart.
    private func order(_ numbers: [Int]) -> [Int] {
        var it = RTPOrder()
        return numbers.enumerated().flatMap { index, number in
            self.numbers(it.add(packet(number), now: start + .milliseconds(index)))
        }
    }

    @Test(arguments: [
        ([1, 2, 3], [1, 2, 3]), ([1, 3, 2, 4], [1, 2, 3, 4]), ([1, 4, 3, 2], [1, 2, 3, 4]),
        ([1, 1, 2, 1, 2], [1, 2]), ([65534, 0, 65535, 1], [65534, 65535, 0, 1]),
        ([7, 9, 9, 8, 9], [7, 8, 9]), ([100, 50_000, 50_001], [100, 50_000, 50_001]),
        ([1, 3, 40_000], [1, 3, 40_000]),
    ])
    func eachGoesOnOnceAndInItsTurn(_ come: [Int], _ go: [Int]) { #expect(order(come) == go) }

    @Test func whatIsLostIsNotWaitedForLong() {
        #expect(order(Array(1...5) + Array(7...80)) == Array(1...5) + Array(7...80))
        var it = RTPOrder()
        _ = it.add(packet(1), now: start)
        #expect(it.add(packet(3), now: start).isEmpty)
        #expect(numbers(it.add(packet(4), now: start + .milliseconds(300))) == [3, 4])
        #expect(numbers(it.add(packet(5), now: start + .milliseconds(301))) == [5])
    }

    @Test func whatIsHeldIsBounded() {
        var it = RTPOrder()
        _ = it.add(packet(0), now: start)
        var held = 0
        for number in 2...6 {
            held += 60_000
            if !it.add(packet(number, size: 60_000), now: start).isEmpty { held = 0 }
            #expect(held <= 1 << 18)
        }
    }

    @Test(arguments: [
        ("RTP/AVP;unicast;client_port=1-2;server_port=6970-6971", 6970, 6971),
        ("RTP/AVP/UDP;server_port=8000", 8000, 8001),
        ("RTP/AVP; Server_Port= 9-11", 9, 11),
    ])
    func theServersPorts(_ transport: String, _ media: UInt16, _ report: UInt16) {
        #expect(DatagramTrack.serverPorts(transport).map { [$0.0, $0.1] } == [media, report])
    }

    @Test(arguments: ["RTP/AVP", "RTP/AVP;server_port=", "RTP/AVP;server_port=0-1", "RTP/AVP;server_port=99999", "x"])
    func noPorts(_ transport: String) { #expect(DatagramTrack.serverPorts(transport) == nil) }
}
