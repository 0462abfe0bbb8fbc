import SnapshotBase
import Testing

@testable import SnapshotHTTP

@Suite struct URLPartsTests {
    @Test func everyPartIsFound() throws {
        let url = try #require(URLParts("HTTPS://us%20er:p%40ss%3Aw@Example.com:8443/a/b?x=1#part"))
        #expect((url.scheme, url.user, url.password) == ("https", "us er", "p@ss:w"))
        #expect((url.authority, url.target) == ("Example.com:8443", "/a/b?x=1"))
        #expect(url.withoutUser == "https://Example.com:8443/a/b?x=1")
    }

    @Test(
        arguments: [
            ("http://h", nil, nil), ("http://me@h", "me", nil), ("http://me:@h", "me", ""), ("http://@h", "", nil),
            ("http://:pw@h", "", "pw"), ("http://me:p@ss@h", "me", "p@ss"), ("http://me:a:b@h", "me", "a:b"),
            ("http://%C3%A9:%E5%AF%86@h", "é", "密"), ("http://a+b:c%2Bd@h", "a+b", "c+d"),
        ] as [(String, String?, String?)])
    func theLoginIsWhatStandsBeforeTheLastAt(_ text: String, user: String?, password: String?) throws {
        let url = try #require(URLParts(text))
        #expect(url.user == user && url.password == password && url.authority == "h")
        #expect(url.withoutUser == "http://h")
    }

    @Test(arguments: [
        ("http://h?x=1", "h", "?x=1"), ("http://h#part", "h", ""), ("http://h/#a?b", "h", "/"),
        ("http://h/a#b#c", "h", "/a"), ("http://h//x", "h", "//x"),
        // An @ behind the host leads nowhere else.
        ("http://good.example/@evil.example", "good.example", "/@evil.example"),
        ("http://good.example?@evil.example/x", "good.example", "?@evil.example/x"),
        ("http://good.example#@evil.example/x", "good.example", ""),
    ])
    func theHostEndsWhereItShould(_ text: String, authority: String, target: String) throws {
        let url = try #require(URLParts(text))
        #expect(url.authority == authority && url.target == target && url.user == nil)
    }

    @Test(arguments: [
        "", "h", "h/x", "http:/h", "http//h", "http://", "http:///x", "http://?x", "http://:80", "http://h:",
        "http://h:0",
        "http://h:65536", "http://h:8o", "http://h:-1", "http://h:80:80", "http://h:٨٠", "http://a b", "http://a\tb",
        "http://a\r\nX: y", "http://a\\b", "http://a%20b", "http://[::1", "http://[::1]x", "http://[::1]:",
        "http://::1]",
        "http://[evil.example]", "http://[]", "http://[fe80::1%25a/b]", "http://u%zz:p@h",
        "http://u:%@h", "http://u%FF@h",
        "http://127.0.0.1:80:", "http://192.0.2.1:80:1", "http://a:b:c", "http://1:2:3", "http://[1:2:3]",
        "http://[::1::]",
        "http://[12345::]", "http://[127.0.0.1]", "http://2001:db8::7:x", "http://::\0", "http://[::1\0.example]",
    ])
    func anythingElseIsNone(_ text: String) { #expect(URLParts(text) == nil) }

    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("192.0.2.7:80", "192.0.2.7:80"), ("h_1.local-net", "h_1.local-net"),
        ("münchen.example", "münchen.example"), ("::1", "[::1]"), ("2001:db8::7", "[2001:db8::7]"),
        ("[2001:db8::7]:65535", "[2001:db8::7]:65535"), ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]"),
        ("fe80::1%eth0", "[fe80::1%25eth0]"), ("[fe80::1%eth0]:80", "[fe80::1%25eth0]:80"),
        ("[fe80::1%25wlan-0.1]", "[fe80::1%25wlan-0.1]"),
    ])
    func aHostIsWrittenAsAURLHasIt(_ text: String, host: String) { #expect(urlHost(text) == host) }

    @Test func aNameIsAsLongAsDNSAllows() {
        #expect(urlHost(String(repeating: "a", count: 253)) != nil)
        #expect(urlHost(String(repeating: "a", count: 254)) == nil)
    }

    @Test(arguments: [
        ("http://h:80/", "h"), ("https://h:443/", "h"), ("http://h:443/", "h:443"), ("https://h:80/", "h:80"),
        ("https://[::1]:443/", "[::1]"), ("http://h:8080/", "h:8080"), ("http://h:180/", "h:180"),
        ("http://[fe80::1%25eth0]:80/", "[fe80::1]"), ("http://[fe80::1%wlan0]:9000/b", "[fe80::1]:9000"),
    ])
    func theSchemesOwnPortIsLeftOut(_ text: String, header: String) { #expect(URLParts(text)?.hostHeader == header) }
}
