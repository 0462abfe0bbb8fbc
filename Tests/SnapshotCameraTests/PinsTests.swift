import Glibc
import SnapshotBase
import Testing

@testable import SnapshotCamera
@testable import SnapshotHTTP

private let first = "sha256//" + String(repeating: "A", count: 42) + "A="
private let second = "sha256//" + String(repeating: "b", count: 42) + "8="

/// A folder that is removed with this value.
private final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/pins-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        for name in (try? listDirectory(path)) ?? [] { unlink(path + "/" + name) }
        rmdir(path)
    }

    func write(_ text: String, to name: String) throws {
        try writeDurably([Array(text.utf8)], to: "\(path)/\(name)", temporary: path + "/new", mode: 0o600)
    }

    var pins: Pins { Pins(statePath: path) }
}

@Suite struct HostAndPortTests {
    @Test(arguments: [
        ("Camera.LAN", "camera.lan:443"), ("camera.lan.:443", "camera.lan:443"), ("10.0.0.9:0443", "10.0.0.9:443"),
        ("127.1", "127.0.0.1:443"), ("[FE80::1%25eth0]:8443", "[fe80::1%25eth0]:8443"),
        ("fe80:0::0:1%eth0", "[fe80::1%25eth0]:443"), ("[2001:DB8:0:0::7]", "[2001:db8::7]:443"),
        ("[::ffff:10.0.0.9]", "10.0.0.9:443"), ("[::FFFF:0a00:0009]:443", "10.0.0.9:443"),
    ])
    func oneServerHasOneForm(_ written: String, _ form: String) throws {
        let host = try #require(HostAndPort(written, defaultPort: 443))
        #expect(host.description == form)
        #expect(HostAndPort(host.description, defaultPort: 1) == host)
    }

    @Test func schemesHavePortsOfTheirOwn() {
        #expect(HostAndPort(tlsURL: "HTTPS://user:secret@Cam/a?b")?.description == "cam:443")
        #expect(HostAndPort(tlsURL: "rtsps://cam/a")?.description == "cam:322")
        #expect(HostAndPort(tlsURL: "rtsps://cam:443/a") == HostAndPort(tlsURL: "https://cam"))
        for url in ["http://cam/", "rtsp://cam/", "cam", "https:///x", "https://cam:0/", "https://[::g]/"] {
            #expect(HostAndPort(tlsURL: url) == nil, "\(url)")
        }
    }
}

@Suite struct PinListTests {
    @Test func whatIsWrittenIsReadAgain() throws {
        var list = PinList()
        for number in 0..<PinList.mostPins {
            let name = String(repeating: "a", count: 60) + ".\(number)." + String(repeating: "b", count: 180)
            let host = try #require(HostAndPort(name, defaultPort: 65535))
            list.add(number.isMultiple(of: 2) ? first : second, for: host)
        }
        #expect(list.isFull && list.bytes.count <= PinList.maximumBytes)
        #expect(PinList(list.bytes) == list)
        #expect(PinList(PinList().bytes) == PinList())
        #expect(PinList(list.bytes.dropLast(3) + []) == nil, "cut short")
    }

    @Test(arguments: [
        "", "{}", "[]", "\0\0\0\0", #"{"version":2,"pins":{}}"#, #"{"version":1,"pins":[]}"#, #"{"version":1}"#,
        #"{"version":1,"pins":{"cam:443":"sha256//short="}}"#, #"{"version":1,"pins":{"cam:443":7}}"#,
        #"{"version":1,"pins":{"no host":"\#(first)"}}"#, #"{"version":1,"pins":{"cam:99999":"\#(first)"}}"#,
        #"{"version":1,"pins":{"cam:443":"\#(first)","CAM":"\#(second)"}}"#,
    ])
    func whatIsNoListIsNotHalfOne(_ text: String) { #expect(PinList(Array(text.utf8)) == nil) }

    @Test func aPinIsThirtyTwoBytes() {
        #expect(PinList.isPin(first) && PinList.isPin(second))
        let bad = [
            "", "sha256//", first + "=", String(first.dropLast()), "SHA256//" + first.dropFirst(8),
            first.dropLast(2) + "B=", first.dropLast(2) + ";=", String(repeating: "é", count: 26),
        ]
        for text in bad { #expect(!PinList.isPin(text), "\(text)") }
    }
}

@Suite struct PinsTests {
    @Test func theFirstKeyStays() throws {
        let folder = try Folder()
        let host = try #require(HostAndPort(tlsURL: "https://cam"))
        #expect(try folder.pins.pin(of: host) == nil)
        #expect(try folder.pins.add(first, for: host) == first)
        #expect(try folder.pins.add(second, for: host) == first, "another run was sooner")
        #expect(try folder.pins.pin(of: host) == first)
        #expect(try folder.pins.forget(host) == .pin(first))
        #expect(try folder.pins.forget(host) == .nothing)
        #expect(try folder.pins.pin(of: host) == nil)
    }

    @Test func noMoreHostsThanThereMayBe() throws {
        let folder = try Folder()
        for number in 0..<PinList.mostPins {
            _ = try folder.pins.add(first, for: try #require(HostAndPort("cam\(number)", defaultPort: 443)))
        }
        let host = try #require(HostAndPort("one-more", defaultPort: 443))
        let failure = #expect(throws: Failure.self) { try folder.pins.add(first, for: host) }
        #expect(failure?.exitCode == 74)
    }

    @Test(arguments: ["reolink https Cam:443 admin", "reolink https cam a user", "http https://CAM/still.jpg?***"])
    func whatAnOlderVersionPinnedIsTakenOver(_ place: String) throws {
        let folder = try Folder()
        try folder.write(#"{"place":"\#(place)","pin":"\#(first)","digestKey":"00"}"#, to: CameraMemory.fileName)
        let host = try #require(HostAndPort(tlsURL: "https://cam"))
        #expect(try folder.pins.pin(of: host) == first)
        #expect(try folder.pins.pin(of: try #require(HostAndPort(tlsURL: "https://other"))) == nil)
        try CameraMemory().belonging(to: "elsewhere").write(to: folder.path)
        #expect(try folder.pins.pin(of: host) == first, "the file it was in was written anew")
        #expect(try folder.pins.forget(host) == .pin(first))
        #expect(try folder.pins.pin(of: host) == nil)
    }

    @Test(arguments: [
        "{\"place\":\"reolink https cam a\",\"pin\":\"sha", "\0\0\0", #"{"place":"","pin":"x","digestKey":""}"#,
    ])
    func whatAnOlderVersionMayHavePinnedIsNotForgotten(_ text: String) throws {
        let folder = try Folder()
        try folder.write(text, to: CameraMemory.fileName)
        let host = try #require(HostAndPort(tlsURL: "https://cam"))
        for _ in 0..<2 {
            let failure = #expect(throws: Failure.self) { _ = try folder.pins.pin(of: host) }
            #expect(failure?.exitCode == 77)
            #expect(throws: Failure.self) { _ = try folder.pins.add(first, for: host) }
            // As a run with another camera does, which needs no pin.
            try CameraMemory().belonging(to: "elsewhere").write(to: folder.path)
        }
        #expect(try folder.pins.forget(host) == .all(aside: folder.path + "/pins.json.bad"))
        #expect(try folder.pins.add(second, for: host) == second)
    }
}
