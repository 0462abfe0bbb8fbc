import NIOCore
import NIOHTTP1
import SnapshotBase
import SnapshotState

/// Answers requests from the state directory, read anew for each, but not more than a few times a second.
final class Site {
    private let options: WebOptions
    private var last: (report: HealthReport, until: NIODeadline)?
    private static let freshness = TimeAmount.milliseconds(250)

    init(options: WebOptions) { self.options = options }

    func answer(_ request: Request) -> Response {
        guard let target = Target(request.uri) else { return .refusal(.badRequest, "this is no path") }
        guard let route = Route(target) else { return .notFound }
        guard request.method == .GET || request.method == .HEAD else { return .methodNotAllowed }
        return answer(route, request)
    }

    private func answer(_ route: Route, _ request: Request) -> Response {
        switch route {
        case .status: return .sentence(.ok, report().worst.summary)
        case .health(camera: nil): return health(report().worst.status, report().json())
        case .health(let name?):
            guard let camera = report().cameras[name], let json = report().json(camera: name) else {
                return .notFound
            }
            return health(camera.status, json)
        case .livez: return .sentence(.ok, "ok")
        case .metrics:
            return Response(
                .ok, type: "text/plain; version=0.0.4; charset=utf-8", body: report().prometheus())
        case .favicon: return .sentence(.notFound, "not here")
        default: return .notFound
        }
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
