import NIOCore
import NIOHTTP1
import SnapshotBase

/// Decides how a request is answered: with a response that needs no file, such as a refusal, or with one that has to
/// read files first. Used on the event loop only; never blocks.
final class RequestRouter {
    enum Decision {
        case ready(Response)
        /// `read` makes the response. It blocks on files, so it has to be called outside the event loop.
        case reading(Route, read: @Sendable () -> Response)
    }

    let clock: SystemClock
    private let site: Site
    private let hasToken: Bool
    private let proxies: TrustedProxies
    private var gate: PictureGate

    init(_ options: WebOptions) {
        clock = options.clock
        site = Site(options: options)
        hasToken = options.token != nil
        proxies = options.proxies
        gate = PictureGate(options)
    }

    func decide(_ received: Request) -> Decision {
        var request = received
        let claim = received.claim(by: proxies)
        if let claim {
            if let client = claim.client { request.source = ClientNetwork(bytes: client) }
            request.isLoggedIn = claim.hasLoggedIn
        }
        return decide(request, isByProxy: claim != nil)
    }

    private func decide(_ request: Request, isByProxy: Bool) -> Decision {
        guard let target = Target(request.uri) else { return .ready(.closing(.badRequest, "this is not a path")) }
        // A trusted proxy decides itself which host names it answers.
        if !isByProxy, let refusal = refusal(ofNames: request) { return .ready(refusal) }
        guard let route = Route(target) else { return .ready(.notFound) }
        guard request.method == .GET || request.method == .HEAD else { return .ready(.methodNotAllowed) }
        if route.showsPictures, let refusal = gate.refusal(of: request) { return .ready(refusal) }
        if case .status = route, gate.asksForToken(request), let refusal = gate.refusal(of: request) {
            guard refusal.status == .unauthorized else { return .ready(refusal) }
            return .reading(route) { [site] in site.response(to: route, request, .links).askingForToken }
        }
        switch route {
        case .livez: return .ready(.sentence(.ok, "ok"))
        case .favicon: return .ready(Response(.noContent, fields: [], body: .bytes(ByteBuffer())))
        case .redirect(let target):
            return .ready(.sentence(.permanentRedirect, target, fields: [("Location", target)]))
        case .status, .health, .metrics, .live, .latest, .hls, .recordings, .recording:
            let view = gate.view(for: request)
            return .reading(route) { [site] in site.response(to: route, request, view) }
        }
    }

    /// Refuses DNS rebinding: without a token only the host name shows that a request comes from another site's page.
    private func refusal(ofNames request: Request) -> Response? {
        guard request.isOverLoopback, !hasToken, !request.names.allSatisfy({ HostName.isOwn($0) }) else { return nil }
        return .sentence(
            .forbidden,
            "over loopback only requests to an IP address, localhost or this machine's name are answered, "
                + "unless there is a WEB_TOKEN, or WEB_TRUST_PROXY has the proxy's address")
    }
}
