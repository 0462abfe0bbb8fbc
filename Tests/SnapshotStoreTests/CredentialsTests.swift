import SnapshotBase
import SnapshotHTTP
import SnapshotSettings
import SnapshotState
import Testing

@testable import SnapshotStore

@Suite struct CredentialsTests {
    private let now = Timestamp(seconds: 1_800_000_000)

    private func at(_ seconds: Int) -> Timestamp { now.advanced(byMilliseconds: Int64(seconds) * 1000) }

    private func keys(obtained: Int, end: Int?, failed: Int? = nil) -> TemporaryCredentials {
        var keys = TemporaryCredentials(
            AWSKeys(accessKey: "A", secretKey: "B", sessionToken: nil), end: end.map(at), obtained: at(obtained),
            holder: "")
        keys.failed = failed.map(at)
        return keys
    }

    @Test(
        arguments: [
            (0, nil, nil, false), (-3300, 301, nil, false), (-3301, 299, nil, true), (-7200, -1, nil, true),
            // Short-lived keys are renewed at half of their life.
            (-40, 60, nil, false), (-60, 40, nil, true),
            // One that has failed to be renewed is left alone for a minute, unless its time is over.
            (-3400, 200, -59, false), (-3400, 200, -60, true), (-3400, -1, -5, true), (-3400, 200, 500, true),
            // The time at which they were obtained shows that a clock was wrong.
            (9_000_000, 100, nil, false), (-90_000_000, 100, nil, true),
        ] as [(Int, Int?, Int?, Bool)])
    func whenTemporaryCredentialsAreDue(_ obtained: Int, _ end: Int?, _ failed: Int?, _ isDue: Bool) {
        #expect(keys(obtained: obtained, end: end, failed: failed).isDue(at: now) == isDue)
    }

    /// Only a clock that is right can say that keys have ended.
    @Test(
        arguments: [
            (-1, .synced, true), (0, .synced, true), (1, .synced, false), (nil, .synced, false),
            (-1, .notYet, false), (-1, .none, false), (-90_000_000, .synced, true),
        ] as [(Int?, CaptureClock.TimeService, Bool)])
    func whatHasEndedWhenItIsObtained(_ end: Int?, _ service: CaptureClock.TimeService, _ isPast: Bool) {
        #expect(keys(obtained: 0, end: end).isPast(at: now, service) == isPast)
    }

    @Test func temporaryKeysAreReadAsTheyWereWritten() {
        for one in [keys(obtained: 0, end: nil), keys(obtained: -7, end: 77, failed: 7)] {
            #expect(JSON(one.json.bytes).flatMap(TemporaryCredentials.init(json:)) == one)
        }
    }

    @Test(arguments: [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"), ("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00Z"), ("2026-01-31T12:00:00-02:30", "2026-01-31T14:30:00Z"),
        ("2026-01-01T01:00:00.123456+05:45", "2025-12-31T19:15:00Z"),
    ])
    func howAnEndIsWritten(_ text: String, _ time: String) { #expect(Timestamp(expiration: text)?.iso8601 == time) }

    @Test(arguments: [
        "", "soon", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00:00+24:00", "+00:00", "1769860800",
    ])
    func whatIsNoEnd(_ text: String) { #expect(Timestamp(expiration: text) == nil) }

    @Test func keysThatNoHeaderTakesAreRefused() {
        for (key, secret, token) in [
            ("", "s", nil), ("a", "", nil), ("a b", "s", nil), ("a", "s", "t\r\nX: y"), ("ä", "s", nil),
        ] {
            #expect(!AWSKeys(accessKey: key, secretKey: secret, sessionToken: token).areSound)
        }
        #expect(AWSKeys(accessKey: "a", secretKey: "s+/= x", sessionToken: "t").areSound)
    }

    @Test func aFileOfAWSsTools() {
        let file = AWSFile(
            "[default]\r\nRegion = a=b:c\r\n; no\n[profile 'x y']\ns3 =\n  region = no\n\n  more = no\nregion: yes\nnothing\n",
            path: "")
        #expect(file.profile("default")?["region"] == "a=b:c")
        #expect(file.profile("x y")?["region"] == "yes" && file.profile("x y")?["more"] == nil)
        #expect(file.profile("x") == nil && file.credentials(of: "default") != nil)
    }

    /// A process may fail only because there is no network.
    @Test func theHoldOffOfAProcessGrowsToTenMinutes() {
        let now = Now(wall: now, up: 1, boot: "b")
        var holdOff: Pause?
        var delays: [Double] = []
        for _ in 0..<6 {
            holdOff = Pause.holdOff(after: holdOff, .store(.credentialProcess), settingsHMAC: "s", now: now)
            delays.append(holdOff?.delaySeconds ?? 0)
        }
        #expect(delays == [60, 120, 240, 480, 600, 600])
        #expect(Pause.holdOff(after: holdOff, .store(.credentials), settingsHMAC: "s", now: now).delaySeconds == 600)
        #expect(Pause.holdOff(after: nil, .store(.credentials), settingsHMAC: "s", now: now).code == nil)
    }
}
