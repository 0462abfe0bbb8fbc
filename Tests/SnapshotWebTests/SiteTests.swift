import NIOHTTP1
import SnapshotBase
import SnapshotSettings
import TestKit
import Testing

@testable import SnapshotWeb

@Suite struct SiteTests {
    private let time = TestClock()
    private let home: TemporaryFolder
    private let site: Site

    init() throws {
        home = try TemporaryFolder()
        let settings = try Settings(
            commandLine: ["STATE_PATH": home.path], in: ProcessContext(clock: time.clock), path: "/dev/null")
        site = Site(options: try WebOptions(settings))
    }

    private func status(_ route: Route) -> UInt {
        let request = Request(
            method: .GET, uri: "/", headers: [:], hasLocalSocket: true, isOverLoopback: true, source: .here)
        return site.response(to: route, request, .nothing).status.code
    }

    @Test func aResponseIsCachedForAQuarterOfASecond() throws {
        #expect(status(.health(camera: nil)) == 503)
        try home.write(
            "relay.json",
            #"{"state":"running","modes":["hls"],"updated":{"at":"2027-01-15T08:00:00Z"},"boot":"","restarts":0}"#)
        time.advance(by: .milliseconds(249))
        #expect(status(.health(camera: nil)) == 503)
        time.advance(by: .milliseconds(1))
        #expect(status(.health(camera: nil)) == 200)
    }
}
