import SnapshotBase
import SnapshotSettings
import Testing

@testable import SnapshotHTTP

private func route(_ url: String, _ values: NamedValues<String>) throws -> Proxies.Route {
    try Proxies(Settings(commandLine: values, environment: [:], path: "/dev/null")).route(to: url)
}

@Suite struct ProxiesTests {
    @Test(arguments: [
        ("https://a/x", "t:1", "HTTPS_PROXY"), ("http://a/x", "p:1", "HTTP_PROXY"), ("HTTPS://A", "t:1", "HTTPS_PROXY"),
    ])
    func theSchemeDecides(_ url: String, address: String, setting: String) throws {
        let values: NamedValues<String> = ["HTTP_PROXY": "p:1", "HTTPS_PROXY": "t:1", "NO_PROXY": "b"]
        #expect(try route(url, values) == .proxy(address, setting: setting))
    }

    @Test func withoutSettingsTheEnvironmentDecides() throws {
        #expect(try route("https://a/", [:]) == .environment)
        #expect(try route("https://a/", ["HTTP_PROXY": "p:1"]) == .environment)
        #expect(try route("https://a/", ["NO_PROXY": "a"]) == .direct)
        #expect(try route("https://a/", ["NO_PROXY": "b"]) == .environment)
    }

    @Test(arguments: [
        ("*", "http://a.example/"), ("a.example", "http://A.Example./"), ("example", "https://a.b.example:8443/x?y"),
        (".example", "http://example/"), ("*.Example", "http://a.example/"), ("example.", "http://a.example/"),
        ("b, example", "http://a.example"), ("b example c", "http://example"), ("a:80", "http://a/"),
        ("a:443", "https://a/"), ("a:8080", "http://u:p@a:8080/"), ("192.0.2.7", "http://192.0.2.7:1/"),
        ("192.0.2.7:1", "http://192.0.2.7:1/"), ("192.0.2.0/24", "http://192.0.2.255/"),
        ("0.0.0.0/0", "http://192.0.2.1/"),
        ("192.0.2.7/32", "http://192.0.2.7/"), ("127.0.0.0/8", "http://127.1/"), ("::1", "http://[::1]/"),
        ("[::1]", "http://[0:0::1]:81/"), ("[::1]:81", "http://[::1]:81/"),
        ("2001:db8::/32", "https://[2001:db8:1::]/"),
        ("fe80::/10", "http://[fe80::1%25eth0]/"), ("::/0", "http://[::1]/"),
        ("192.0.2.7", "http://[::ffff:192.0.2.7]/"),
        ("10.0.0.0/9", "http://10.127.0.1/"), ("*:81", "http://a:81/"),
    ])
    func theseAreReachedDirectly(_ exceptions: String, url: String) throws {
        let values: NamedValues<String> = ["HTTP_PROXY": "p:1", "HTTPS_PROXY": "p:1", "NO_PROXY": exceptions]
        #expect(try route(url, values) == .direct)
    }

    @Test(arguments: [
        ("xample", "http://example/"), ("a.example", "http://example/"), ("example", "http://example.org/"),
        ("a:81", "http://a/"), ("a:443", "http://a/"), ("192.0.2.0/24", "http://192.0.3.0/"),
        ("2.7", "http://192.0.2.7/"),
        ("192.0.2.7:2", "http://192.0.2.7:1/"), ("[::1]:80", "http://[::1]:81/"), ("::/0", "http://192.0.2.7/"),
        ("0.0.0.0/0", "http://[::1]/"), ("192.0.2.0/33", "http://192.0.2.0/"), ("10.0.0.0/9", "http://10.128.0.1/"),
        ("192.0.2.*", "http://192.0.2.7/"), ("http://a", "http://a/"), (",", "http://a/"), ("*:81", "http://a/"),
        (".", "http://a/"),
        ("/8", "http://1.2.3.4/"),
    ])
    func theseAreNot(_ exceptions: String, url: String) throws {
        let values: NamedValues<String> = ["HTTP_PROXY": "p:1", "HTTPS_PROXY": "p:1", "NO_PROXY": exceptions]
        #expect(try route(url, values) == .proxy("p:1", setting: "HTTP_PROXY"))
    }

    @Test(arguments: [
        "h", "h:3128", "http://h:3128/", "https://h", "socks5://h:1080", "socks5h://u:p@[::1]:1080", "SOCKS4://h",
        "http://u:p%40%2F@h",
    ])
    func whatCurlTakesIsTaken(_ address: String) throws {
        #expect(try route("http://a/", ["HTTP_PROXY": address]) == .proxy(address, setting: "HTTP_PROXY"))
    }

    @Test(arguments: ["ftp://h", "h:0", "h:x", "http://", "u:p@x@h:1", "http://u:a/b@h", "a b", "127.0.0.1:80:"])
    func anythingElseIsRefused(_ address: String) {
        #expect(throws: Failure.self) { try route("http://a/", ["HTTP_PROXY": address]) }
        #expect(throws: Failure.self) { try route("http://a/", ["HTTPS_PROXY": address]) }
    }
}
