import NIOCore
import NIOHTTP1
import SnapshotBase

/// Decides how a request is answered: refuses it, answers it at once where no file is needed, or returns the read that
/// makes the answer. Used on the event loop only; never blocks.
final class RequestRouter {
    enum Answer {
        case ready(Response)
        /// `read` blocks on files, so it has to be called outside the event loop.
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
        guard let target = Target(request.uri) else { return .ready(.refusal(.badRequest, "this is not a path")) }
        // A trusted proxy decides itself which host names it answers.
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

    /// Without a token only the host name tells a request by our own pages from DNS rebinding by another site.
    private func refusal(ofNames request: Request) -> Response? {
        guard request.isOverLoopback, !hasToken, !request.names.allSatisfy({ HostName.isOwn($0) }) else { return nil }
        return .sentence(
            .forbidden,
            "over loopback this is answered by an IP address, localhost or this machine's name only, "
                + "unless there is a WEB_TOKEN, or WEB_TRUST_PROXY has the proxy's address")
    }
}
