import NIOCore
import NIOHTTP1
import SnapshotBase
import SnapshotState

/// Answers requests from the state directory, read anew for each, but not more than a few times a second.
final class Site {
    private let options: WebOptions
    private let gate: PictureGate
    private let files: PictureFiles
    private var last: (report: HealthReport, until: NIODeadline)?
    private static let freshness = TimeAmount.milliseconds(250)

    init(options: WebOptions) {
        self.options = options
        gate = PictureGate(isOn: options.showsPictures, token: options.token)
        files = PictureFiles(
            runtimeDirectories: options.runtimeDirectories, outputDirectory: options.outputDirectory,
            statePath: options.statePath)
    }

    func answer(_ request: Request) -> Response {
        guard let target = Target(request.uri) else { return .refusal(.badRequest, "this is no path") }
        guard let route = Route(target) else { return .notFound }
        guard request.method == .GET || request.method == .HEAD else { return .methodNotAllowed }
        return answer(route, request)
    }

    private func answer(_ route: Route, _ request: Request) -> Response {
        if route.showsPictures, let refusal = gate.refusal(of: request) { return refusal }
        switch route {
        case .status: return status(request).response()
        case .health(camera: nil): return health(report().worst.status, report().json().text)
        case .health(let name?):
            return report().camera(name).map { health($0.status, $0.json().text) } ?? .notFound
        case .livez: return .sentence(.ok, "ok")
        case .metrics:
            return Response(
                .ok, type: "text/plain; version=0.0.4; charset=utf-8", body: report().prometheus().text)
        case .favicon: return Response(.noContent, fields: [], body: .text(""))
        case .latest(let camera): return files.latest(camera: camera, request) ?? .notFound
        case .live(let camera): return live(camera)?.response() ?? .notFound
        case .hls(let camera, let names): return files.stream(of: camera, names, request) ?? .notFound
        case .recordings: return RecordingsPage(recordings: files.recordings()).page.response()
        case .recording(let names): return files.recording(names, request) ?? .notFound
        case .moved(let place): return .sentence(.permanentRedirect, place, fields: [("Location", place)])
        }
    }

    /// The status page shows what `request` would be shown anyway.
    private func status(_ request: Request) -> Page {
        let report = report()
        var links: PictureLinks?
        if options.showsPictures, request.isLocal || options.token != nil {
            var cameras: [String: Timestamp] = [:]
            for name in report.cameras.keys {
                cameras[name] = files.latest(camera: name.isEmpty ? nil : name)?.modified
            }
            links = PictureLinks(
                showsPicture: options.token == nil && gate.refusal(of: request) == nil, cameras: cameras)
        }
        return StatusPage(report: report, statePath: options.statePath, now: .current(), pictures: links).page
    }

    /// The live view of a camera; without a name of the first that has a stream. nil where there is no such camera.
    private func live(_ name: String?) -> Page? {
        let instances = files.instances
        guard name.map(instances.contains) ?? true else { return nil }
        let hasOwn = files.streamUpdated(of: nil) != nil
        let camera = name ?? (hasOwn ? nil : instances.first { files.streamUpdated(of: $0) != nil })
        var cameras = instances.map { (name: String?.some($0), title: $0) }
        if hasOwn || camera == nil {
            let report = report()
            cameras.insert((nil, report.cameras[""].map { report.name("", $0) } ?? ""), at: 0)
        }
        return LivePage(
            cameras: cameras, camera: camera, updated: files.streamUpdated(of: camera), now: .now()
        ).page
    }

    private func health(_ status: Health.Status, _ json: String) -> Response {
        Response(
            status == .unhealthy ? .serviceUnavailable : .ok, type: "application/json", body: json + "\n")
    }

    private func report() -> HealthReport {
        if let last, .now() < last.until { return last.report }
        let report = HealthReport(
            statePath: options.statePath, now: .current(), interval: options.interval,
            version: snapshotVersion)
        last = (report, .now() + Self.freshness)
        return report
    }
}

extension Response {
    static let notFound = sentence(.notFound, "there is nothing here")

    static var methodNotAllowed: Response {
        sentence(.methodNotAllowed, "only GET and HEAD are answered", fields: [("Allow", "GET, HEAD")])
    }
}
