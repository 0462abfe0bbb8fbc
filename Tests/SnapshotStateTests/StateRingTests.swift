import SnapshotBase
import Testing

@testable import SnapshotState

private let now = Now(wall: Timestamp(milliseconds: 1_795_000_000_000), up: 100, boot: "boot")

private func slot(_ seq: UInt64) throws -> [UInt8] {
    var record = Record(version: "1", camera: "front", now: now, intervalSeconds: 10)
    record.seq = seq
    record.totalCaptures = Int(seq)
    return try Slot.encode(record)
}

@Suite struct StateRingTests {
    @Test func crcIsTheUsualOne() { #expect(crc32(Array("123456789".utf8)[...]) == 0xCBF4_3926) }

    /// The definition, bit by bit.
    private func plainCRC(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
        }
    }

    @Test(arguments: 0..<40)
    func crcOfAnyLengthInAnyPieces(_ length: Int) {
        let bytes = (0..<(length + 9)).map { UInt8(truncatingIfNeeded: $0 &* 197 &+ 31) }
        for start in 0..<9 {
            let slice = bytes[start..<(start + length)]
            #expect(crc32(slice) == plainCRC(slice))
            let middle = start + length / 3
            #expect(crc32(slice[middle...], after: crc32(slice[..<middle])) == plainCRC(slice))
        }
    }

    @Test func aSlotIsALineOf4096Bytes() throws {
        let bytes = try slot(7)
        #expect(bytes.count == 4096 && bytes.last == 10 && bytes.filter { $0 == 10 }.count == 1)
        #expect(Slot.decode(bytes[...])?.totalCaptures == 7 && Slot.sequence(of: bytes[...]) == 7)
    }

    @Test func hoursGiveWayWhenTheRecordIsTooLong() throws {
        var record = Record(version: "1", camera: String(repeating: "\u{1}", count: 64), now: now, intervalSeconds: 10)
        record.hours = (0..<48).map { Hour(hour: 499_000_000_000 + $0) }
        record.pictures.sizes = Array(repeating: 16_000_000, count: 32)
        record.outcome.key = String(repeating: "k", count: 2600)
        let decoded = Slot.decode(try Slot.encode(record)[...])
        #expect(decoded?.outcome.key?.count == 2600 && (decoded?.hours.count ?? 99) < 48)
    }

    @Test func theHighestValidSeqCounts() throws {
        let bytes = try slot(65) + slot(2) + slot(64)
        guard case .record(let record) = StateRing(bytes: bytes, all: false).content else {
            return #expect(Bool(false))
        }
        #expect(record.seq == 65)
        #expect(StateRing(bytes: bytes, all: true).history.map(\.seq) == [2, 64, 65])
    }

    @Test func anyTornByteCostsOneRecordOnly() throws {
        let good = try slot(1)
        for position in stride(from: 0, to: 1200, by: 7) {
            var torn = try slot(2)
            torn[position] ^= 0x01
            let ring = StateRing(bytes: good + torn, all: false)
            if case .record(let record) = ring.content {
                #expect(record.seq == 1 || torn[position] == 0x21)
            } else {
                Issue.record("nothing left after byte \(position)")
            }
        }
    }

    @Test func rubbishIsUnreadableAndNothingIsNeverRan() {
        for bytes in [[], Array(repeating: UInt8(0), count: 4096), Array("{\"seq\":1}".utf8)] {
            guard case .unreadable = StateRing(bytes: bytes, all: true).content else {
                Issue.record("took \(bytes.count) bytes of rubbish")
                continue
            }
        }
        let blank = Array(repeating: Slot.blank, count: StateRing.slots).flatMap { $0 }
        guard case .neverRan = StateRing(bytes: blank, all: true).content else { return #expect(Bool(false)) }
    }
}
