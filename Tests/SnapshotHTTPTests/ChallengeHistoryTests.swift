import Testing

@testable import SnapshotHTTP

@Suite struct ChallengeHistoryTests {
    @Test(arguments: [
        (#"Digest realm="x""#, true), (#"dIgEsT nonce="a""#, true),
        (#"Basic realm="a, Digest b", Digest nonce="c""#, true),
        ("Digest", true), (#"Basic realm="x""#, false), (#"Basic realm="a, Digest nonce=b""#, false),
        ("Digester x=1", false), ("", false),
    ])
    func digestIsFoundWhereItIsOffered(_ value: String, _ offered: Bool) {
        #expect(ChallengeHistory.hasDigest(value[...]) == offered)
    }

    @Test func basicBehindDigestIsWeaker() {
        var challenges = ChallengeHistory()
        func take(_ lines: String...) { lines.forEach { challenges.take($0 + "\r\n") } }
        take("HTTP/1.1 401 No", "WWW-Authenticate: Basic realm=\"x\"", "www-authenticate: Digest realm=\"x\"")
        #expect(!challenges.areWeaker && challenges.hasOfferedDigest)
        take("HTTP/1.1 401 No")
        #expect(!challenges.areWeaker, "it asks for nothing")
        take("WWW-Authenticate: Basic realm=\"x\"")
        #expect(challenges.areWeaker)
    }
}
