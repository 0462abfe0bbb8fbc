import SnapshotBase
import SnapshotHTTP
import SnapshotSettings
import Testing

@testable import SnapshotCamera

@Suite struct CameraKindTests {
    private func camera(_ settings: [String: String]) throws -> CameraSettings {
        try CameraSettings(read(settings))
    }

    private func read(_ settings: [String: String]) throws -> Settings {
        try Settings(
            commandLine: NamedValues(settings), environment: [:], path: "/dev/null")
    }

    @Test func theSettingTellsOfEveryKind() {
        let forms = CameraKinds.all.flatMap { $0.forms }
        #expect(Key.cameraURL.declaration.kind.description == alternatives(forms))
    }

    @Test func aFileThatHangsIsNamedInsteadOfTheTimeout() throws {
        let settings = try camera(["CAMERA_IP": "h"])
        let why = "cannot read /mnt/nas/ca.pem: its folder hangs"
        let failure = Failure.camera(
            HTTPFailure(kind: .timedOut, why: why, waitedForFile: true), settings, over: "HTTPS")
        #expect(failure.why == why && failure.hint?.contains("responds") == true)
        let slow = Failure.camera(HTTPFailure(kind: .timedOut, why: why), settings, over: "HTTPS")
        #expect(slow.why.contains("CAMERA_TIMEOUT"))
    }

    /// What is stored must not change from version to version: the session and the login belong to it.
    @Test(
        arguments: [
            (["CAMERA_IP": "h:81"], "reolink http h:81 admin"),
            (["CAMERA_IP": "h", "CAMERA_USE_HTTPS": "true", "CAMERA_USERNAME": "me"], "reolink https h me"),
            (["CAMERA_URL": "https://u:secret@h:1/a/b?secret"], "http https://h:1/a/b?***"),
            (["CAMERA_URL": "rtsp://u:secret@h/a?secret"], "rtsp rtsp://h/a?***"),
            (["CAMERA_URL": "rtsps://h/live"], "rtsp rtsps://h/live"),
            (["CAMERA_URL": "file:///tmp/a%20b.jpg"], "file /tmp/a b.jpg"),
            (["CAMERA_URL": "file://localhost/tmp/a.jpg"], "file /tmp/a.jpg"),
            (["CAMERA_URL": "v4l2:/dev/video3"], "v4l2 /dev/video3"),
        ] as [([String: String], String)])
    func theIdentityOfACamera(_ settings: [String: String], identity: String) throws {
        let it = try camera(settings.merging(["CAMERA_PASSWORD": "secret"]) { $1 })
        #expect(it.identity == identity)
        #expect(!it.address.contains("secret") && it.fingerprint.contains("secret"))
    }

    @Test func anAddressBringsItsLogin() throws {
        let it = try camera(["CAMERA_URL": "http://me:p%40ss@h/x", "CAMERA_USERNAME": "other", "CAMERA_PASSWORD": "pw"])
        #expect(it.loginUser == "me" && it.password == "p@ss")
        let half = try camera(["CAMERA_URL": "rtsp://me@h/x", "CAMERA_PASSWORD": "pw"])
        #expect(half.loginUser == "me" && half.password == "pw")
        #expect(try camera(["CAMERA_URL": "http://h/x"]).loginUser == nil)
    }

    @Test func theURLComesBeforeTheHost() throws {
        #expect(try camera(["CAMERA_URL": "file:/a.jpg", "CAMERA_IP": "h"]).address == "/a.jpg")
    }

    @Test func videoIsWhereTheKindSays() throws {
        func streams(_ settings: [String: String]) throws -> [String] {
            let all = try read(settings)
            let camera = try CameraSettings(all)
            return try camera.kind.streams(camera, all)
        }
        #expect(
            try streams(["CAMERA_IP": "[fe80::1]:80", "CAMERA_CHANNEL": "9", "STREAM_SOURCE": "sub"]) == [
                "rtsp://[fe80::1]:554/h264Preview_10_sub", "rtsp://[fe80::1]:554/h265Preview_10_sub",
                "rtsp://[fe80::1]:554/Preview_10_sub",
            ])
        #expect(try streams(["CAMERA_URL": "rtsp://u:p@h:1/x?y"]) == ["rtsp://h:1/x?y"])
        for url in ["http://h/x.jpg", "file:/a.jpg", "v4l2:/dev/video0"] {
            #expect(try streams(["CAMERA_URL": url]).isEmpty)
        }
    }

    @Test(arguments: [
        "ftp://h/x", "gopher:x", "http://", "http:///x", "file:", "v4l2:", "v4l2:video0", "rtsp://", "text",
    ])
    func whatNoKindKnows(_ url: String) {
        let failure = #expect(throws: Failure.self) { try camera(["CAMERA_URL": url]) }
        #expect(failure?.exitCode == 78 && failure?.why.contains("rtsps://…") == true)
    }

    @Test func onlyTLSHasAKeyToPin() throws {
        #expect(try camera(["CAMERA_IP": "h"]).tlsHost == nil)
        #expect(try camera(["CAMERA_IP": "h", "CAMERA_USE_HTTPS": "1"]).tlsHost?.description == "h:443")
        #expect(try camera(["CAMERA_URL": "rtsps://h/x"]).tlsHost?.description == "h:322")
        #expect(try camera(["CAMERA_URL": "file:/a.jpg"]).tlsHost == nil)
    }
}
