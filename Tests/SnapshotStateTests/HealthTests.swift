import SnapshotBase
import Testing

@testable import SnapshotState

private func now(_ seconds: Double, boot: String = "b", wall: Int64 = 0) -> Now {
    Now(wall: Timestamp(milliseconds: 1_795_000_000_000 + Int64(seconds * 1000) + wall), up: seconds, boot: boot)
}

private func health(_ record: Record, at moment: Now) -> Health {
    Health(.record(record), relay: nil, now: moment, interval: nil, camera: "c", version: "1")
}

@Suite struct HealthTests {
    private let good: Record = {
        var record = Record(version: "1", camera: "c", now: now(1000), intervalSeconds: 10)
        record.lastCapture = now(1000).moment
        record.lastUpload = now(1000).moment
        return record
    }()

    @Test func agesDecide() {
        #expect(health(good, at: now(1030)).status == .healthy)
        #expect(health(good, at: now(1031)).reasons == [.stale])
        #expect(health(good, at: now(1100)).reasons == [.stale])
        #expect(health(good, at: now(1101)).status == .unhealthy)
        #expect(health(good, at: now(1101)).reasons == [.noCapture, .stale])
    }

    @Test func anInstanceIsNamedInWhatToDo() throws {
        #expect(HealthReport.instance(ofState: "/var/lib/snapshot/front") == "front")
        for other in [
            "/var/lib/snapshot", "/var/lib/snapshot/front/deeper", "/srv/front", "state", "/var/lib/snapshot/",
            "/var/lib/snapshot/front; reboot", "/var/lib/snapshot/`id`", "/var/lib/snapshot/$(id)",
        ] {
            #expect(HealthReport.instance(ofState: other) == nil)
        }
        var camera = health(good, at: now(1101))
        #expect(
            try #require(camera.remedyText).contains(
                "snapshot check says what fails; systemctl list-timers snapshot.timer"))
        camera.instance = "front"
        let remedy = try #require(camera.remedyText)
        #expect(remedy.contains("snapshot check --config /etc/snapshot/front.env says what fails"))
        #expect(remedy.contains("systemctl list-timers snapshot@front.timer"))
        let relay = camera.named(Health.Reason.relayDown.remedy)
        #expect(relay.contains("journalctl -u snapshot-relay@front`") && !relay.contains("snapshot-relay`"))
    }

    @Test func agesSurviveClockJumps() {
        for jump in [Int64(-3_600_000), 3_600_000, 86_400_000_000] {
            #expect(health(good, at: now(1010, wall: jump)).ageSeconds == 10)
        }
    }

    @Test func anotherBootCountsByTheWallClockButAtLeastItsOwnAge() {
        #expect(health(good, at: now(15, boot: "c", wall: 1_000_000)).ageSeconds == 15)
        #expect(health(good, at: now(15, boot: "c", wall: 2_000_000)).ageSeconds == 1015)
    }

    @Test func reasonsHaveTheirStatus() {
        let changes: [(Health.Reason, Health.Status, (inout Record) -> Void)] = [
            (.neverCaptured, .unhealthy, { $0.lastCapture = nil }),
            (
                .cameraCredentials, .unhealthy,
                { $0.holdOffs["camera"] = .holdOff(after: nil, settingsHMAC: "x", now: now(1)) }
            ),
            (
                .storeCredentials, .unhealthy,
                { $0.holdOffs["store"] = .holdOff(after: nil, settingsHMAC: "x", now: now(1)) }
            ),
            (.spooling, .degraded, { $0.spool.count = 1 }), (.frozen, .degraded, { $0.pictures.frozen = true }),
            (.covered, .degraded, { $0.pictures.covered = true }),
            (.clockUnsynced, .degraded, { $0.clock.synced = false }),
            (.dropped, .degraded, { $0.spool.lastDrop = now(900).moment }),
            (.stateReset, .degraded, { $0.stateReset = now(900).moment }),
            (
                .settingsRefused, .unhealthy,
                {
                    $0.countFailure(.settings("x", why: "y"), now: now(1001))
                    $0.outcome.code = .own(.settings)
                }
            ),
        ]
        for (reason, status, change) in changes {
            var record = good
            change(&record)
            let found = health(record, at: now(1001))
            #expect(found.reasons == [reason] && found.status == status)
        }
    }

    @Test func aPartOfTheWorkFailsSinceItsFirstFailure() {
        var record = good
        func fail(_ code: Failure.Code, at seconds: Double) -> Moment? {
            record.countFailure(Failure(code, "x", why: "y"), now: now(seconds))
            return record.lastError?.since
        }
        #expect(fail(.camera(.timeout), at: 1010) == now(1010).moment)
        #expect(fail(.camera(.unreachable), at: 1020) == now(1010).moment)
        #expect(fail(.store(.busy), at: 1030) == now(1030).moment)
        #expect(fail(.camera(.timeout), at: 1040) == now(1040).moment)
        #expect(record.consecutiveFailures == 4)
    }

    @Test(
        arguments: [("see https://h/?k=1", nil), ("Connection refused", "Connection refused")] as [(String, String?)])
    func aReasonIsKeptWithoutAddresses(why: String, kept: String?) {
        var record = good
        record.countFailure(Failure(.store(.lost), "x", "http://h", why: why), now: now(1))
        #expect(record.lastError?.why == kept)
    }

    @Test func holdOffsDoubleToSixHours() {
        var holdOff = Pause.holdOff(after: nil, settingsHMAC: "s", now: now(0))
        var delays = [holdOff.delaySeconds]
        for _ in 0..<7 {
            holdOff = .holdOff(after: holdOff, settingsHMAC: "s", now: now(0))
            delays.append(holdOff.delaySeconds)
        }
        #expect(delays == [600, 1200, 2400, 4800, 9600, 19200, 21600, 21600])
        #expect(holdOff.remaining(settingsHMAC: "other", now: now(1), recordBoot: "b") == nil)
        #expect(holdOff.remaining(settingsHMAC: "s", now: now(21599), recordBoot: "b") == 1)
        #expect(holdOff.remaining(settingsHMAC: "s", now: now(21600), recordBoot: "b") == nil)
    }

    @Test func frozenAndCovered() {
        var pictures = PictureHistory()
        for count in 1...12 {
            pictures.add(scan: "same", bytes: 100, frozenAfter: 12)
            #expect(pictures.frozen == (count == 12))
        }
        pictures.add(scan: "other", bytes: 24, frozenAfter: 12)
        #expect(!pictures.frozen && pictures.covered)
        pictures.add(scan: "more", bytes: 25, frozenAfter: 0)
        #expect(!pictures.covered)
    }
}
