import NIOCore
import NIOHTTP1
import SnapshotBase

/// Receives requests: turns away what isn't to be answered, answers what needs no file, and names what has to be read for
/// the rest. Belongs to the event loop, and never waits.
final class Reception {
    enum Answer {
        case ready(Response)
        /// `read` is to be called beside the loop.
        case reading(Route, read: @Sendable () -> Response)
    }

    private let site: Site
    private let hasToken: Bool
    private let proxies: Proxies
    private var gate: PictureGate

    init(_ options: WebOptions) {
        site = Site(options: options)
        hasToken = options.token != nil
        proxies = options.proxies
        gate = PictureGate(options)
    }

    func answer(_ received: Request) -> Answer {
        var request = received
        let introduction = received.introduction(by: proxies)
        if let introduction {
            if let client = introduction.client { request.source = Source(bytes: client) }
            request.isIntroduced = introduction.hasLoggedIn
        }
        return answer(request, isByProxy: introduction != nil)
    }

    private func answer(_ request: Request, isByProxy: Bool) -> Answer {
        guard let target = Target(request.uri) else { return .ready(.refusal(.badRequest, "this is no path")) }
        // A proxy has a name of its own; who may ask by it is its business.
        if !isByProxy, let refusal = refusal(ofNames: request) { return .ready(refusal) }
        guard let route = Route(target) else { return .ready(.notFound) }
        guard request.method == .GET || request.method == .HEAD else { return .ready(.methodNotAllowed) }
        if route.showsPictures, let refusal = gate.refusal(of: request) { return .ready(refusal) }
        if case .status = route, gate.asks(request), let refusal = gate.refusal(of: request) {
            guard refusal.status == .unauthorized else { return .ready(refusal) }
            return .reading(route) { [site] in site.answer(route, request, .links).asking }
        }
        switch route {
        case .livez: return .ready(.sentence(.ok, "ok"))
        case .favicon: return .ready(Response(.noContent, fields: [], body: .bytes(ByteBuffer())))
        case .moved(let place):
            return .ready(.sentence(.permanentRedirect, place, fields: [("Location", place)]))
        case .status, .health, .metrics, .live, .latest, .hls, .recordings, .recording:
            let view = gate.view(for: request)
            return .reading(route) { [site] in site.answer(route, request, view) }
        }
    }

    /// Without a token nothing but the name tells this machine's own pages from those of a site that made its name lead here.
    private func refusal(ofNames request: Request) -> Response? {
        guard request.isOverLoopback, !hasToken, !request.names.allSatisfy({ HostName.isOwn($0) }) else { return nil }
        return .sentence(
            .forbidden,
            "over loopback this is answered by an IP address, localhost or this machine's name only, "
                + "unless there is a WEB_TOKEN, or WEB_TRUST_PROXY has the proxy's address")
    }
}
