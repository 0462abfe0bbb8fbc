import SnapshotBase
import Testing

@testable import SnapshotState

@Suite struct TrafficTests {
    private func now(_ day: Int) -> Now {
        Now(wall: Timestamp(milliseconds: Int64(day) * 86_400_000 + 1000), up: 1, boot: "b")
    }

    @Test func aRunWithoutALineLeavesNothing() {
        var record = Record(version: "0", camera: "c", now: now(20_000), intervalSeconds: 10)
        record.countTraffic(camera: (0, 0), others: (0, 0), now: now(20_000))
        #expect(record.traffic == nil)
    }

    @Test func daysAreSummedAndFew() throws {
        var record = Record(version: "0", camera: "c", now: now(20_000), intervalSeconds: 10)
        for day in 20_000..<20_020 {
            for _ in 0..<2 { record.countTraffic(camera: (1, 10), others: (100, 7), now: now(day)) }
        }
        let traffic = try #require(record.traffic)
        #expect(traffic.sent == 4000 && traffic.received == 280)
        #expect(traffic.cameraSent == 40 && traffic.cameraReceived == 400)
        #expect(traffic.days.count == TrafficRecord.daysKept)
        #expect(traffic.days.last?.sent == 200 && traffic.days.last?.date == "2024-10-23")
        #expect(try #require(TrafficRecord(json: traffic.json)) == traffic)
        #expect(
            traffic.inWords
                == "yesterday 200 bytes sent, 14 bytes received; today 200 bytes sent, 14 bytes received (UTC)")
    }

    @Test func numbersThatAreTooLargeStayWithinAnInt() {
        var record = Record(version: "0", camera: "c", now: now(20_000), intervalSeconds: 10)
        for _ in 0..<3 { record.countTraffic(camera: (.max, .max), others: (.max, .max), now: now(20_000)) }
        #expect(record.traffic?.sent == .max && record.traffic?.days.last?.received == .max)
    }

    @Test func aWholeRecordKeepsItsHours() throws {
        var record = Record(version: "0.3.0", camera: "front", now: now(20_000), intervalSeconds: 10)
        for hour in 0..<48 {
            var one = Hour(hour: 480_000 + hour)
            (one.captures, one.uploads, one.uploadMilliseconds) = (360, 360, 123_456)
            record.hours.append(one)
        }
        for day in 20_000..<20_010 {
            record.countTraffic(camera: (9_999_999, 3_999_999_999), others: (3_999_999_999, 99_999_999), now: now(day))
        }
        #expect(try Slot.encode(record).count == Slot.size)
        let text = String(decoding: try Slot.encode(record), as: UTF8.self)
        #expect(text.contains("[480000,360,"))
    }
}
