import Glibc
import SnapshotBase
import SnapshotKeys
import SnapshotSettings
import Testing

@testable import SnapshotCamera
@testable import SnapshotCapture
@testable import SnapshotHTTP
@testable import SnapshotState
@testable import SnapshotStore

/// What this program writes it reads again, whatever number stands in any of the fields. The fields are found by their
/// names in the sources, so a new one is covered, or `everyFieldIsCovered` fails.
@Suite struct ExtremesTests {
    static let numbers: [JSON] = [
        .integer(-1 << 53), .integer(-1), .integer(0), .integer(1), .integer((1 << 53) - 1), .integer(1 << 53),
        .number(0.5), .number(-9.007e15),
    ]

    private static func names(in file: String) -> Set<String> {
        let root = parentDirectory(parentDirectory(parentDirectory(#filePath)))
        let source = String(
            decoding: (try? readFile("\(root)/Sources/\(file).swift", limit: 1 << 20)) ?? [], as: UTF8.self)
        return Set(source.split(separator: "fields.field(\"").dropFirst().map { String($0.prefix { $0 != "\"" }) })
    }

    private static let values: [JSON] = [
        .integer(1), .number(1), .string("a"), .bool(true), .array([.integer(1)]), .array([.string("a")]),
        .object(["a": "b"]), Moment().json, ErrorReport().json, RejectedEntries().json, LearnedRegion().json,
        LearnedStore().json, Pause().json, .object(["a": Pause()]), .object(["a": Moment()]), Postponement().json,
        Stall().json, .object(["a": AcceptedLogin(settingsHMAC: "a")]), .array([Hour(hour: 1).json]),
        CameraMemory.Session().json, CameraMemory.LoginPause().json, .string("synced"), DayShares().json,
        TrafficRecord().json,
    ]

    /// `json` with a value in every field that is missing or empty, as far as `read` accepts one.
    private static func filled(_ json: JSON, _ names: Set<String>, _ read: (JSON) -> JSON?) -> JSON {
        guard case .object(var object) = json else { return json }
        func takes(_ name: String, _ value: JSON) -> Bool {
            read(.object(replacing(name, in: object, by: value)))?[name] == value
        }
        // A dictionary takes one kind of value under any name; a type that takes all kinds keeps unknown members.
        let strange = values.filter { takes("no such field", $0) }
        let isDictionary = !strange.isEmpty && strange.count < values.count
        for name in isDictionary ? [] : names.sorted()
        where [nil, .array([]), .object([:])].contains(object[name]) {
            let fitting = values.filter { takes(name, $0) }
            guard let value = fitting.first, fitting.count < values.count else { continue }
            object = replacing(name, in: object, by: value)
        }
        var whole = JSONObject()
        for member in object.members {
            let inner = filled(member.value, names) { value in
                read(.object(replacing(member.name, in: object, by: value)))?[member.name]
            }
            whole.append(member.name, inner)
        }
        return .object(whole)
    }

    private static func replacing(_ name: String, in object: JSONObject, by value: JSON) -> JSONObject {
        var new = JSONObject()
        for member in object.members { new.append(member.name, member.name == name ? value : member.value) }
        if object[name] == nil { new.append(name, value) }
        return new
    }

    /// A copy of `json` for each number in it and each extreme, with that extreme in the number's place.
    private static func variants(of json: JSON) -> [JSON] {
        switch json {
        case .integer, .number: return numbers
        case .array(let elements):
            return elements.indices.flatMap { index in
                variants(of: elements[index]).map { value in
                    var changed = elements
                    changed[index] = value
                    return .array(changed)
                }
            }
        case .object(let object):
            return object.members.flatMap { member in
                variants(of: member.value).map { .object(replacing(member.name, in: object, by: $0)) }
            }
        default: return []
        }
    }

    private static func allNames(in json: JSON) -> Set<String> {
        switch json {
        case .object(let object):
            Set(object.members.map(\.name)).union(object.members.flatMap { allNames(in: $0.value) })
        case .array(let elements): Set(elements.flatMap(allNames))
        default: []
        }
    }

    private static func whole<Value: JSONMapped>(_ value: Value, _ files: String...) -> (json: JSON, names: Set<String>)
    {
        let names = files.reduce(into: Set()) { $0.formUnion(Self.names(in: $1)) }
        return (filled(value.json, names) { Value(json: $0)?.json }, names)
    }

    private static let record = whole(
        Record(), "SnapshotState/Record", "SnapshotState/RecordParts", "SnapshotState/RecordParts+Store",
        "SnapshotState/Outcome", "SnapshotState/Moment", "SnapshotState/PictureHistory")
    private static let entry = whole(SpoolEntry(), "SnapshotCapture/Spool/SpoolEntry")
    private static let relay = whole(RelayReport(), "SnapshotState/RelayReport", "SnapshotState/Moment")
    private static let memory = whole(CameraMemory(), "SnapshotCamera/CameraMemory")

    @Test func everyFieldIsCovered() {
        for (json, names) in [Self.record, Self.entry, Self.relay, Self.memory] {
            #expect(names.count > 5)
            #expect(names.subtracting(Self.allNames(in: json)) == [])
        }
    }

    // MARK: What is written is read
    private static let now = Now(wall: Timestamp(milliseconds: 1_800_000_000_000), up: 1000, boot: "b")

    @Test func aRecordSurvivesARunWithAnyNumberInIt() throws {
        var count = 0
        for json in Self.variants(of: Self.record.json) {
            guard var record = Record(json: json) else { continue }
            record.seq = 7
            guard let written = Slot.decode(try Slot.encode(record)[...]) else {
                #expect(!record.countsAreSound, "\(json.text)")
                continue
            }
            count += 1
            try run(written)
        }
        #expect(count > 200, "\(count)")
    }

    /// What a run does to a record; the result is written, read, and judged.
    private func run(_ record: Record) throws {
        var record = record
        let now = Self.now
        for boot in [record.boot, "b", ""] {
            record.begin(
                now: Now(wall: now.wall, up: 1000, boot: boot), version: "0", camera: "c", intervalSeconds: 10,
                isRepeating: false)
            for timeService in [CaptureClock.TimeService.none, .notYet, .synced] {
                let (time, _) = CaptureClock.time(at: now, record.clock, timeService: timeService)
                record.clock.latestMilliseconds = max(time.milliseconds, record.clock.latestMilliseconds)
            }
            CaptureClock.learn(CaptureClock.offset(at: now, record.clock, timeService: .none), at: now, &record.clock)
            record.totalCaptures += 1
            record.lastNumber = SpoolName.next(after: record.lastNumber)
            record.pictures.add(scan: "", bytes: 1, frozenAfter: 12)
            record.countHour(now: now, captured: true, uploadMilliseconds: 1 << 53)
            record.reconcile(with: [SpoolName(number: SpoolName.highest, bytes: SpoolName.mostBytes)])
            record.holdOffs["store"] = Pause.holdOff(after: record.holdOffs["store"], settingsHMAC: "", now: now)
            _ = record.holdOffs["store"]?.remaining(settingsHMAC: "", now: now, recordBoot: boot)
            record.retryQuota = record.retryQuota.replenished
            let health = Health(.record(record), relay: nil, now: now, interval: nil, camera: "c", version: "0")
            _ = health.summary + health.json().text
        }
        #expect(Slot.decode(try Slot.encode(record)[...]) != nil, "\(record.json.text)")
    }

    @Test func anEntryIsReadAgainWithAnyNumberInIt() {
        var count = 0
        for json in Self.variants(of: Self.entry.json) {
            guard var entry = SpoolEntry(json: json), entry.length > 0 else { continue }
            entry.key = "key.jpg"
            #expect(entry.line.flatMap { SpoolEntry(line: $0) } == entry)
            let object = entry.object(.bytes([]), template: template, now: Self.now, clock: ClockFigures())
            #expect(object.capturedAt.iso8601.utf8.count == 20)
            count += 1
        }
        #expect(count > 2, "\(count)")
    }

    @Test func relayAndSessionAreReadAgainWithAnyNumberInThem() {
        var (reports, memories) = (0, 0)
        for json in Self.variants(of: Self.relay.json) {
            guard let report = RelayReport(json: json) else { continue }
            #expect(RelayReport(report.json.bytes, now: Self.now) != nil)
            reports += 1
        }
        for json in Self.variants(of: Self.memory.json) {
            guard let memory = CameraMemory(json: json) else { continue }
            #expect(JSON(memory.json.bytes).flatMap(CameraMemory.init(json:)) == memory)
            _ = memory.isLoginPaused(SystemClock(boot: "b"))
            memories += 1
        }
        #expect(reports > 5 && memories > 5, "\(reports), \(memories)")
    }

    private let template: KeyTemplate = {
        let settings = try? CaptureSettings(Settings(environment: ["CAMERA_IP": "127.0.0.1"], path: "/dev/null"))
        guard let settings else { preconditionFailure("the standard settings are refused") }
        return settings.keyTemplate
    }()

    // MARK: Names and numbers

    @Test(arguments: [1, 999, 1000, 123_456_789_012, SpoolName.highest], [1, 16_000_000, SpoolName.mostBytes])
    func aNameIsReadAgain(number: Int, bytes: Int) {
        let name = SpoolName(number: number, bytes: bytes)
        #expect(SpoolName(name.text) == name && name.text.utf8.count > 16 && name.folder.utf8.count == 12)
        #expect((1...SpoolName.highest).contains(SpoolName.next(after: number)))
    }

    @Test(arguments: [
        "000000000001-9223372036854775807.jpg", "000000000001-010.jpg", "000000000001-+10.jpg", "000000000001--10.jpg",
        "+00000000001-10.jpg", "-00000000001-10.jpg", "00000000001-10.jpg", "0000000000001-10.jpg",
        "1000000000000-10.jpg",
        "000000000000-10.jpg", "000000000001-0.jpg", "00000000000١-10.jpg", "000000000001-１０.jpg",
        "000000000001-10.JPG",
        "000000000001-10.jpg\u{301}", "000000000001.jpg", "-.jpg", ".jpg", "", "000000000001-10-10.jpg",
        "000000000001-1000000000000000.jpg", "000000000001-1073741825.jpg",
    ])
    func anyOtherNameIsNone(text: String) { #expect(SpoolName(text) == nil) }

    @Test func recordNumbersBeginAnewAtTheirEnd() throws {
        let folder = "/tmp/snapshot-extremes-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        try makeDirectory(folder, mode: 0o700)
        defer { for name in ["state.jsonl", "lock", ""] { remove(folder + "/" + name) } }
        var record = Record(version: "1", camera: "c", now: Self.now, intervalSeconds: 10)
        record.seq = Slot.highestSequence
        record.totalCaptures = 12
        let bytes = try Slot.encode(record) + (1..<StateRing.slots).flatMap { _ in Slot.blank }
        try writeDurably([bytes], to: folder + "/state.jsonl", temporary: folder + "/new", mode: 0o600)
        for expected in [UInt64(1), 2] {
            guard var state = try StateDirectory.open(folder), let last = state.last else {
                return #expect(Bool(false))
            }
            #expect(last.totalCaptures == 12 && state.resetReason == nil)
            try state.write(last)
            guard case .record(let found) = StateRing(reading: folder).content else { return #expect(Bool(false)) }
            #expect(found.seq == expected)
        }
    }
}
