import SnapshotBase
import Testing

@testable import SnapshotHTTP

@Suite struct AuthorizerTests {
    /// The example of RFC 2617, section 3.5.
    @Test func digestWithQuality() throws {
        var login = try #require(
            Authorizer.to([
                #"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#
            ]))
        let value = login.authorization(
            user: "Mufasa", password: "Circle Of Life", method: "GET", url: "/dir/index.html", clientNonce: "0a4f113b")
        #expect(value.contains(#"response="6629fae49393a05397450978507c4ef1""#))
        #expect(value.contains("qop=auth, nc=00000001, cnonce=\"0a4f113b\""))
        #expect(value.contains(#"opaque="5ccc069c403ebaf9f0171e9517f40e41""#))
        let second = login.authorization(user: "M", password: "C", method: "GET", url: "/", clientNonce: "x")
        #expect(second.contains("nc=00000002"))
    }

    /// The example of RFC 7616, section 3.9.1.
    @Test func digestWithSHA256() throws {
        var login = try #require(
            Authorizer.to([
                #"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
            ]))
        let value = login.authorization(
            user: "Mufasa", password: "Circle of Life", method: "GET", url: "/dir/index.html",
            clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
        #expect(value.contains(#"response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1""#))
    }

    @Test func basicOnlyWhereNothingBetterIsOffered() throws {
        var basic = try #require(Authorizer.to(["Basic realm=\"x\""]))
        #expect(
            basic.authorization(user: "Aladdin", password: "open sesame", method: "GET", url: "/", clientNonce: "")
                == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        var both = try #require(Authorizer.to(["Basic realm=\"x\"", "Digest realm=\"x\", nonce=\"n\""]))
        let value = both.authorization(user: "u", password: "p", method: "GET", url: "/", clientNonce: "")
        #expect(value.hasPrefix("Digest "))
        #expect(Authorizer.to(["Negotiate", "Digest algorithm=SHA-512-256, nonce=\"n\""]) == nil)
        #expect(Authorizer.to([]) == nil)
        #expect(Authorizer.to(["Basic realm=\"x\""], mayBeBasic: false) == nil)
        // Digest was offered, with an algorithm that isn't supported.
        #expect(Authorizer.to(["Basic realm=\"x\"", "Digest algorithm=SHA-512-256, nonce=\"n\""]) == nil)
    }

    @Test func severalChallengesInOneValue() {
        let all = LoginChallenge.all([
            #"Negotiate, Basic realm="a, Digest realm=\"b\"" , DIGEST  realm=plain,Nonce = "n\\" ,stale=TRUE, qop="auth,auth-int""#,
            "",
            "Digest nonce=\"ü\"",
        ])
        #expect(all.map(\.scheme) == ["negotiate", "basic", "digest", "digest"])
        #expect(all[1].fields == ["realm": #"a, Digest realm="b""#])
        #expect(all[2].fields["nonce"] == #"n\"# && all[2].fields["realm"] == "plain" && all[2].isStale)
        #expect(all[2].fields["qop"] == "auth,auth-int" && all[3].fields["nonce"] == "ü" && !all[3].isStale)
    }

    @Test func marksInNamesAreEscaped() throws {
        var login = try #require(Authorizer.to([#"Digest realm="the \"one\"", nonce="n", opaque="o\\""#]))
        let value = login.authorization(user: "a\"b", password: "p", method: "OPTIONS", url: "*", clientNonce: "")
        #expect(
            value.hasPrefix(#"Digest username="a\"b", realm="the \"one\"", nonce="n", uri="*""#)
                && value.hasSuffix(#"opaque="o\\""#))
    }
}

extension Authorizer {
    fileprivate static func to(_ values: [String], mayBeBasic: Bool = true) -> Authorizer? {
        Authorizer(LoginChallenge.all(values), mayBeBasic: mayBeBasic)
    }
}
