import NIOCore
import Testing

@testable import SnapshotWeb

@Suite struct HostNameTests {
    @Test(arguments: [
        "127.0.0.1", "8.8.8.8:80", "[::1]", "[fe80::1]:8080", "::1", "localhost", "LOCALHOST:9", "localhost.", "Board",
        "board.", "board.lan", "BOARD.LAN.:80",
    ])
    func own(name: String) {
        #expect(HostName.isOwn(name, machine: "board.lan"))
    }

    @Test(arguments: [
        "", ".", "evil.example", "board.evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.1",
        "[::1",
        "[::1]evil", "[board]", "localhost:", "localhost:8x", "localhost:1:2", "a@localhost", "localhost/..",
        "256.1.1.1",
    ])
    func others(name: String) {
        #expect(HostName.isOwn(name, machine: "board.lan") == (name == "localhost:"))
    }

    @Test func aMachineWithoutNameHasNone() {
        #expect(!HostName.isOwn("", machine: ""))
        #expect(!HostName.isOwn(".", machine: ""))
    }

    @Test(arguments: [
        ("http://a.example/x", "a.example"), ("HTTPS://A:8/", "A:8"), ("http://a", "a"),
        ("http://[::1]:8?x", "[::1]:8"),
        ("/x", nil), ("*", nil), ("ftp://a/", nil),
    ])
    func authorities(target: String, name: String?) {
        #expect(Target.authority(of: target) == name)
    }
}

@Suite struct TokenRateLimitTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private func source(_ number: Int) -> ClientNetwork {
        .elsewhere([10, 0, UInt8(number >> 8 & 255), UInt8(number & 255)])
    }

    @Test func oneSourceIsSlowedAndOthersAreNot() {
        var rateLimit = TokenRateLimit(now: start)
        for _ in 0..<TokenRateLimit.free {
            #expect(rateLimit.mayTry(source(1), now: start))
            rateLimit.failed(source(1), now: start)
        }
        #expect(!rateLimit.mayTry(source(1), now: start))
        #expect(rateLimit.mayTry(source(2), now: start) && rateLimit.mayTry(.here, now: start))
        let later = start + .seconds(Int64(TokenRateLimit.secondsBetween))
        #expect(rateLimit.mayTry(source(1), now: later))
        rateLimit.failed(source(1), now: later)
        #expect(!rateLimit.mayTry(source(1), now: later + .seconds(1)))
    }

    @Test func manySourcesAreSlowedTogetherAndWhoKnewItIsHeard() {
        var rateLimit = TokenRateLimit(now: start)
        rateLimit.succeeded(source(9999), now: start)
        for number in 0..<TokenRateLimit.freeInAll { rateLimit.failed(source(number), now: start) }
        #expect(!rateLimit.mayTry(source(500), now: start))
        #expect(rateLimit.mayTry(source(9999), now: start))
        #expect(rateLimit.mayTry(source(500), now: start + .seconds(1)))
    }

    @Test func memoryIsBoundedAndTheGuiltyStayKnown() {
        var rateLimit = TokenRateLimit(now: start)
        for _ in 0..<TokenRateLimit.free { rateLimit.failed(.here, now: start) }
        for number in 0..<3000 {
            rateLimit.failed(source(number), now: start)
            rateLimit.succeeded(source(number), now: start)
        }
        #expect(rateLimit.count <= 2 * TokenRateLimit.remembered)
        #expect(!rateLimit.mayTry(.here, now: start))
    }
}

@Suite struct LimitsTests {
    @Test(arguments: [0, 20, 64, 100, 256, 1024, 1_000_000, Int.max])
    func theyFitTheDescriptors(descriptors: Int) {
        let limits = Limits(descriptors: descriptors)
        #expect(limits.connections >= 4 && limits.connections <= 512)
        #expect(limits.readers >= 1 && limits.readers <= 64)
        if descriptors >= 64 { #expect(limits.connections + limits.readers < descriptors) }
    }
}
