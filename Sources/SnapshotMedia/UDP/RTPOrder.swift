import SnapshotBase

/// A reorder buffer for RTP. A packet that arrives early is held until the missing ones arrive, within limits of
/// number, size and time; duplicates and late packets are dropped.
package struct RTPOrder: Sendable {
    private static let mostHeld = 32
    private static let mostHeldBytes = 1 << 18
    private static let timeout = Duration.milliseconds(200)
    /// If a sequence number is farther away than this, the camera has begun to count anew.
    private static let farthest = 3000

    private var next: UInt16?
    private var held: [(number: UInt16, packet: [UInt8])] = []
    private var heldBytes = 0
    private var waitingSince: Uptime?

    package init() {}

    /// - Parameter packet: one RTP packet; one without a sequence number is dropped.
    /// - Returns: the packets that are now in order, possibly none.
    package mutating func add(_ packet: [UInt8], now: Uptime) -> [[UInt8]] {
        guard packet.count >= 4 else { return [] }
        let number = UInt16(packet[2]) << 8 | UInt16(packet[3])
        let distance = next.map { Int(Int16(truncatingIfNeeded: Int(number) - Int($0))) } ?? 0
        if abs(distance) > Self.farthest {
            let rest = drain()
            next = number &+ 1
            return rest + [packet]
        }
        guard distance >= 0, !held.contains(where: { $0.number == number }) else { return [] }
        if distance == 0 {
            next = number &+ 1
            return [packet] + following(now)
        }
        held.append((number, packet))
        heldBytes += packet.count
        waitingSince = waitingSince ?? now
        let isLate = waitingSince.map { now - $0 >= Self.timeout } ?? false
        guard isLate || held.count > Self.mostHeld || heldBytes > Self.mostHeldBytes else { return [] }
        // Give the missing packets up and go on with the first held one.
        next = nearest?.number
        return following(now)
    }

    private var nearest: (number: UInt16, packet: [UInt8])? {
        let from = next ?? 0
        return held.min { $0.number &- from < $1.number &- from }
    }

    /// Removes and returns the held packets that follow without a gap.
    private mutating func following(_ now: Uptime) -> [[UInt8]] {
        var ready: [[UInt8]] = []
        while let index = held.firstIndex(where: { $0.number == next }) {
            let packet = held.remove(at: index).packet
            heldBytes -= packet.count
            ready.append(packet)
            next = next.map { $0 &+ 1 }
        }
        waitingSince = held.isEmpty ? nil : now
        return ready
    }

    private mutating func drain() -> [[UInt8]] {
        var rest: [[UInt8]] = []
        while let one = nearest {
            rest.append(one.packet)
            held.removeAll { $0.number == one.number }
        }
        (heldBytes, waitingSince) = (0, nil)
        return rest
    }
}
