import NIOHTTP1
import SnapshotBase
import SnapshotSettings
import SnapshotState
import Synchronization

/// Makes responses from the state directory and from the files of capture and relay. Pages are cached for `freshness`,
/// so the state is read only a few times a second, however many clients there are.
final class Site: Sendable {
    /// A cache of responses, and of the report and index that they are made from.
    private struct Cache {
        var report: HealthReport?
        var pages: [CacheKey: Response] = [:]
        var until = Uptime(nanoseconds: 0)
        var recordings: RecordingIndex?
        var recordingsUntil = Uptime(nanoseconds: 0)
    }

    private struct CacheKey: Hashable {
        let route: Route
        let view: PictureGate.View
    }

    private let options: WebOptions
    private var clock: SystemClock { options.clock }
    private let files: PictureFiles
    /// `statePages` caches responses made from the state alone. `relayPages` caches those that also need the relay's
    /// folder, whose disk may be slow or hang; its own lock keeps the others from waiting for that disk.
    private let statePages = Mutex(Cache())
    private let relayPages = Mutex(Cache())
    private static let freshness = Duration.milliseconds(250)
    private static let mostPages = 64

    init(options: WebOptions) {
        self.options = options
        files = PictureFiles(
            runtimeDirectories: options.runtimeDirectories, outputDirectory: options.outputDirectory,
            statePath: options.statePath)
    }

    /// Makes the response to a request whose route and view are decided. It blocks on files, so it is called outside
    /// the event loop.
    func response(to route: Route, _ request: Request, _ view: PictureGate.View) -> Response {
        switch route {
        case .latest(let camera):
            files.latest(camera: camera, request).embedded(in: options.origins.embedder(of: request))
        case .hls(let camera, let names):
            files.stream(of: camera, names, request).embedded(in: options.origins.embedder(of: request))
        case .recording(let names):
            files.recording(names, request).embedded(in: options.origins.embedder(of: request))
        case .live, .recordings:
            relayPages.withLock { page(CacheKey(route: route, view: view), &$0) }
        case .status, .health, .metrics, .livez, .favicon, .redirect:
            statePages.withLock { page(CacheKey(route: route, view: view), &$0) }
        }
    }

    private func page(_ key: CacheKey, _ cache: inout Cache) -> Response {
        if cache.until <= clock.up() { (cache.report, cache.pages) = (nil, [:]) }
        if let page = cache.pages[key] { return page }
        let report =
            cache.report
            ?? HealthReport(
                statePath: options.statePath, now: clock.now(), interval: options.interval,
                version: snapshotVersion)
        let page = page(key, report, &cache)
        if cache.report == nil { cache.until = clock.up() + Self.freshness }
        cache.report = report
        // A client can make up any number of names and lists, so 404 isn't cached, and the cache is bounded.
        if page.status != .notFound, cache.pages.count < Self.mostPages { cache.pages[key] = page }
        return page
    }

    /// The index of recordings. It is cached for 20 times as long as it took to make, at most 80 s, so that making it
    /// usually takes no more than 5 % of the time.
    private func recordings(_ cache: inout Cache) -> RecordingIndex {
        if let known = cache.recordings, cache.recordingsUntil > clock.up() { return known }
        // The old index is freed first, since a small board has no memory for two of the largest.
        cache.recordings = nil
        let watch = clock.stopwatch()
        let index = files.recordings
        cache.recordings = index
        cache.recordingsUntil = clock.up() + max(Self.freshness, min(watch.elapsed, .seconds(4)) * 20)
        return index
    }

    private func page(_ key: CacheKey, _ report: HealthReport, _ cache: inout Cache) -> Response {
        switch key.route {
        case .status: status(report, key.view).response(frames: options.origins.framePolicy)
        case .health(camera: nil): health(report.worst.status, report.json().text)
        case .health(let name?): report.camera(name).map { health($0.status, $0.json().text) } ?? .notFound
        case .metrics:
            Response(
                .ok, type: "text/plain; version=0.0.4; charset=utf-8",
                body: report.prometheus(board: Board(root: "")).text)
        case .live(let camera):
            live(camera, report, key.view)?.response(frames: options.origins.framePolicy) ?? .notFound
        case .recordings(let selection):
            RecordingsPage(
                index: recordings(&cache), selection: selection, files: files,
                links: report.links(for: key.view, present: "/recordings/")
            ).page.response(frames: options.origins.framePolicy)
        // The caller and `RequestRouter` respond to these, without a report.
        case .livez, .favicon, .redirect, .latest, .hls, .recording: .notFound
        }
    }

    /// The status page, with the latest pictures where `view` allows them.
    private func status(_ report: HealthReport, _ view: PictureGate.View) -> Page {
        var pictures: [String: LatestPicture] = [:]
        if view == .pictures { for (name, _) in report.cameras.entries { pictures[name] = latest(name) } }
        return StatusPage(
            report: report, statePath: options.statePath, now: clock.now(), board: Board(root: ""),
            pictures: pictures, view: view, settingsFailure: options.settingsFailure
        ).page
    }

    /// - Parameter camera: an instance's name; "" for the camera without an instance name.
    private func latest(_ camera: String) -> LatestPicture? {
        switch files.latest(camera: camera.isEmpty ? nil : camera) {
        case .file(let file): .taken(file.modified)
        case .unreadable: .unreadable
        case .missing: nil
        }
    }

    /// The live view of the named camera, or of the first that has a stream; nil where there is no such camera.
    private func live(_ name: String?, _ report: HealthReport, _ view: PictureGate.View) -> Page? {
        let instances = files.instances
        guard name.map({ instances.contains($0) || report.cameras[$0] != nil && !$0.isEmpty }) ?? true else {
            return nil
        }
        let own = files.playlist(of: nil)
        let camera = name ?? (own.mayExist ? nil : instances.first { files.playlist(of: $0).mayExist })
        let links = report.links(for: view, present: "/live/")
        let playlist = files.playlist(of: camera)
        let isRelayed = (camera.map { report.cameras[$0] } ?? report.cameras[""])?.relay?.modes.contains("hls") == true
        if !playlist.mayExist, !isRelayed {
            let shown = camera ?? (report.cameras[""] == nil ? report.cameras.entries.first?.name ?? "" : "")
            return NoLivePage(
                cameras: report.cameras.entries.map { ($0.name, report.name($0.name, $0.value)) },
                camera: shown, health: report.cameras[shown], latest: latest(shown), now: clock.wall(), links: links,
                root: name == nil ? "../" : "../../"
            ).page
        }
        var cameras = instances.map { (name: String?.some($0), title: $0) }
        if own.mayExist || camera == nil {
            cameras.insert((nil, report.cameras[""].map { report.name("", $0) } ?? ""), at: 0)
        }
        return LivePage(
            cameras: cameras, camera: camera, playlist: playlist, now: clock.wall(), isNamed: name != nil,
            links: links
        ).page
    }

    private func health(_ status: Health.Status, _ json: String) -> Response {
        Response(
            status == .unhealthy ? .serviceUnavailable : .ok, type: "application/json", body: json + "\n")
    }
}

extension Response {
    static let busy = closing(
        .serviceUnavailable, "too many clients are reading files at the moment", fields: [("Retry-After", "5")])

    static let notFound = sentence(.notFound, "there is nothing here")

    static let unreadable = sentence(.serviceUnavailable, "this file exists, but cannot be read. \(Unreadable.advice)")

    static var methodNotAllowed: Response {
        sentence(.methodNotAllowed, "only GET and HEAD are answered", fields: [("Allow", "GET, HEAD")])
    }
}
