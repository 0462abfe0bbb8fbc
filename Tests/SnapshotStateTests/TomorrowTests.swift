import SnapshotBase
import Testing

@testable import SnapshotState

/// Records that a later version wrote: what this one doesn't know costs nothing, and is kept.
@Suite struct TomorrowTests {
    private let now = Now(wall: Timestamp(milliseconds: 1_800_000_000_000), up: 1000, boot: "b")

    /// A record of today with `changes` at their places, e.g. `outcome.result`.
    private func record(_ changes: (path: String, value: JSON)...) throws -> Record {
        var record = Record(version: "9.0.0", camera: "front", now: now, intervalSeconds: 10)
        record.seq = 7
        record.totalCaptures = 41
        record.lastCapture = now.moment
        record.lastUpload = now.moment
        record.outcome = Outcome(result: .stored)
        record.holdOffs["camera"] = Pause(since: now.moment, delaySeconds: 600, settingsHMAC: "s")
        var json = record.json
        for (path, value) in changes { json = set(json, path.split(separator: ".")[...], value) }
        return try #require(Record(json: json))
    }

    private func set(_ json: JSON, _ path: ArraySlice<Substring>, _ value: JSON) -> JSON {
        guard let name = path.first.map(String.init), case .object(let object) = json else { return value }
        var changed = JSONObject()
        for member in object.members where member.name != name { changed.append(member.name, member.value) }
        changed.append(name, set(object[name] ?? .object(JSONObject()), path.dropFirst(), value))
        return .object(changed)
    }

    private static let news: [(path: String, value: JSON)] = [
        ("outcome.result", .string("postponed")),
        ("outcome.code", .string("camera-asleep")),
        ("last_error", .object(["code": "moon-too-bright", "moment": ["at": "2030-01-01T00:00:00Z"] as JSONObject])),
        ("due", .object(["since": Moment(), "delay_seconds": 5.0, "reason": "not-by-night"])),
        ("plan", .object(["windows": ["08:00-12:00", "14:00-18:00"], "days": 5])),
        ("outcome.weather", .string("rain")),
        ("spool.kept_by", .array([.integer(1), .null])),
        ("clock.source", .string("gps")),
        ("pictures.faces", .integer(3)),
        ("latches.camera.kind", .string("oauth")),
        ("store", .object(["place": "p", "kind": "sftp"])),
        ("schema", .integer(9)),
    ]

    @Test(arguments: news.indices)
    func isReadAndWrittenBackUnchanged(index: Int) throws {
        let (path, value) = Self.news[index]
        var record = try record((path, value))
        record.seq = 7
        let again = try #require(Slot.decode(try Slot.encode(record)[...]))
        #expect(again == record)
        let found = path.split(separator: ".").reduce(Optional(again.json)) { $0?[String($1)] }
        switch value {
        case .object(let object):
            for member in object.members { #expect(found?[member.name] == member.value) }
        default: #expect(found == value)
        }
        // The newest counts, and nothing of it is damaged.
        let ring = StateRing(bytes: try Slot.encode(record), all: true)
        #expect(ring.damaged.isEmpty && ring.history.map(\.totalCaptures) == [41])
        _ = Health(ring.content, relay: nil, now: now, interval: nil, camera: "", version: "")
    }

    @Test func surviveTheRunsOfThisVersion() throws {
        var record = try record(("plan", .string("dawn")), ("spool.kept_by", .integer(2)))
        for boot in ["b", "c"] {
            let now = Now(wall: now.wall, up: 2000, boot: boot)
            record.begin(now: now, version: "1", camera: "front", intervalSeconds: 10, isRepeating: false)
            record.outcome = Outcome(result: .spooled)
            record.spool.count += 1
            record = try #require(Slot.decode(try Slot.encode(record)[...]))
        }
        #expect(record.json["plan"] == .string("dawn") && record.json["spool"]?["kept_by"] == .integer(2))
    }

    @Test func giveWayBeforeARecordCannotBeWritten() throws {
        let large = JSON.string(String(repeating: "x", count: 4000))
        let record = try record(("plan", large), ("spool.kept_by", .integer(2)))
        let again = try #require(Slot.decode(try Slot.encode(record)[...]))
        #expect(again.totalCaptures == 41 && again.json["plan"] == nil)
    }

    /// A member that is known and null isn't a stranger: it would be written twice once it has a value.
    @Test func nullsOfTodayAreNotKeptAsStrangers() throws {
        let record = try record(("told", .null), ("due", .null))
        #expect(record.others == JSONObject())
    }

    @Test func theNumberAndTheChecksumOfASlotAreNoFields() throws {
        let record = try #require(Slot.decode(try Slot.encode(try record())[...]))
        #expect(record.others == JSONObject())
    }

    // MARK: A capture that isn't due

    @Test(arguments: [
        // Seconds since the last capture, since the wait began, and its length; the reasons.
        (90.0, nil, 0.0, [Health.Reason.stale]), (110, nil, 0, [.noCapture, .stale]),
        (5000, 90, 600, []), (5000, 615, 600, []), (5000, 625, 600, [.stale]), (5000, 695, 600, [.noCapture, .stale]),
        (90, 95, 5, [.stale]), (25, 20, 1, []),
    ])
    func healthCountsFromWhenTheNextOneIsDue(
        captured: Double, waiting: Double?, delay: Double, reasons: [Health.Reason]
    ) {
        func moment(_ ago: Double) -> Moment {
            Moment(at: now.wall.advanced(byMilliseconds: -Int64(ago * 1000)).iso8601, up: 10_000 - ago)
        }
        let now = Now(wall: now.wall, up: 10_000, boot: "b")
        var record = Record(version: "1", camera: "c", now: now, intervalSeconds: 10)
        record.lastCapture = moment(captured)
        record.lastUpload = moment(captured)
        record.postponement = waiting.map {
            Postponement(since: moment($0), delaySeconds: delay, reason: .camera(.credentials))
        }
        let health = Health(.record(record), relay: nil, now: now, interval: nil, camera: "", version: "")
        #expect(health.reasons == reasons)
    }

    @Test func aSkippedRunIsTold0_2_2InItsOwnWord() {
        #expect(Outcome(result: .skipped).json["result"] == .string("latched"))
        #expect(Outcome.Result(rawValue: "latched") == .skipped)
    }
}
