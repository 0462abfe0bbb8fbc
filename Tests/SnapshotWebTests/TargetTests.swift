import SnapshotBase
import Testing

@testable import SnapshotWeb

@Suite struct TargetTests {
    @Test(arguments: [
        ("/", [""]), ("/health", ["health"]), ("/health/yard", ["health", "yard"]), ("/live/", ["live", ""]),
        ("/health?x=/../1", ["health"]), ("/health/a%20b%C3%A9", ["health", "a bé"]),
        ("http://host:80/health", ["health"]), ("/a//b", ["a", "", "b"]), ("/...", ["..."]),
    ])
    func paths(text: String, segments: [String]) {
        #expect(Target(text)?.segments == segments)
    }

    @Test(arguments: [
        "", "health", "*", "http://host", "/..", "/a/../b", "/a/%2e%2e/b", "/a/.%2E", "/.", "/a%2fb",
        "/a%5Cb", "/a\\b",
        "/a%00", "/a%0a", "/a%7f", "/%", "/%4", "/%zz", "/%ff", "/%c0%ae%c0%ae",
    ])
    func refused(text: String) {
        #expect(Target(text) == nil)
    }

    @Test(arguments: ["plain.mp4", "a b", "é&<>\"'%", "..", "x?y#z"])
    func namesSurviveTheirEncoding(name: String) {
        #expect(Target("/" + percentEncoded(name) + "x")?.segments == [name + "x"])
    }
}

@Suite struct RouteTests {
    private func route(_ path: String) -> Route? { Target(path).flatMap { Route($0) } }

    @Test(arguments: [
        ("/", Route.status), ("/health", .health(camera: nil)), ("/health/yard", .health(camera: "yard")),
        ("/livez", .livez), ("/metrics", .metrics), ("/latest.jpg", .latest(camera: nil)),
        ("/latest/yard.jpg", .latest(camera: "yard")), ("/live", .redirect(to: "live/")),
        ("/live/", .live(camera: nil)),
        ("/live/hls/stream.m3u8", .hls(camera: nil, file: ["stream.m3u8"])), ("/live/yard", .redirect(to: "yard/")),
        ("/live/yard/", .live(camera: "yard")), ("/live/yard/hls/1.ts", .hls(camera: "yard", file: ["1.ts"])),
        ("/recordings/", .recordings(RecordingsSelection())),
        ("/recordings/page-2/", .recordings(RecordingsSelection(page: 2))),
        ("/recordings/2026-01-21/", .recordings(RecordingsSelection(day: "2026-01-21"))),
        ("/recordings/2026-01-21/14/page-3/", .recordings(RecordingsSelection(day: "2026-01-21", hour: "14", page: 3))),
        ("/recordings/2026-01-21", .redirect(to: "2026-01-21/")), ("/recordings/2026-01-21/14", .redirect(to: "14/")),
        ("/recordings/2026-01-21/a.mp4", .recording(file: ["2026-01-21", "a.mp4"])),
        ("/recordings/page-0/", .recording(file: ["page-0", ""])),
        ("/recordings/2026-1-21/", .recording(file: ["2026-1-21", ""])),
        ("/recordings/2026-01-21/14/15/", .recording(file: ["2026-01-21", "14", "15", ""])),
        ("/recordings/2026/a.mp4", .recording(file: ["2026", "a.mp4"])),
    ])
    func known(path: String, route: Route) {
        #expect(self.route(path) == route)
    }

    @Test(arguments: [
        "/health/", "/health/a/b", "/Health", "//", "/live/x/y", "/live/hls", "/latest/yard", "/livez/",
    ])
    func unknown(path: String) {
        #expect(route(path) == nil)
    }

    @Test(arguments: [
        "/latest.jpg", "/latest/a.jpg", "/live", "/live/", "/live/hls/a.ts", "/recordings/", "/recordings/a",
    ])
    func pictures(path: String) {
        #expect(route(path)?.showsPictures == true)
    }
}
