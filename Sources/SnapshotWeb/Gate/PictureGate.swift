import FoundationEssentials
import NIOCore

/// Decides who may see pictures and video: nobody unless `WEB_IMAGES` is on. With a token, clients that send it may;
/// without one, clients on this machine; and in both cases users whom a trusted proxy has logged in.
/// Used on the event loop only.
struct PictureGate {
    let isOn: Bool
    let token: String?
    /// What is wrong with the settings, in which case no picture is shown; nil where they are right.
    let settingsFailure: String?
    private var rateLimit = TokenRateLimit(now: .now())

    init(_ options: WebOptions) {
        (isOn, token, settingsFailure) = (options.showsPictures, options.token, options.settingsFailure)
    }

    /// What a page shows of pictures: nothing, links to pages that ask for the token, or the pictures themselves.
    enum View: Hashable { case nothing, links, pictures }

    /// Whether the status page has to ask for the token before it can show pictures.
    func asksForToken(_ request: Request) -> Bool {
        isOn && settingsFailure == nil && token != nil && !request.isLoggedIn
    }

    /// What is shown to a request that has sent the token, or that needs none.
    func view(for request: Request) -> View {
        guard isOn, settingsFailure == nil else { return .nothing }
        if request.isLoggedIn || token != nil { return .pictures }
        return request.isLocal && request.names.allSatisfy { HostName.isOwn($0) } ? .pictures : .nothing
    }

    /// The response that refuses the request; nil where the client may see pictures.
    mutating func refusal(of request: Request, now: NIODeadline = .now()) -> Response? {
        if let settingsFailure { return .sentence(.forbidden, "pictures are not shown: \(settingsFailure)") }
        guard isOn else {
            return .sentence(.notFound, "pictures are not switched on: set WEB_IMAGES=true")
        }
        if request.isLoggedIn { return nil }
        guard let token else {
            guard request.isLocal else {
                return .sentence(.forbidden, "other machines see pictures only with a WEB_TOKEN")
            }
            // DNS rebinding: another site's page could read the pictures by a host name that resolves to this machine.
            return request.names.allSatisfy { HostName.isOwn($0) }
                ? nil : .sentence(.forbidden, "under this host name pictures are shown only with a WEB_TOKEN")
        }
        guard let given = Self.credential(request.header("Authorization")) else { return Self.challenge }
        guard rateLimit.mayTry(request.source, now: now) else {
            return .closing(
                .tooManyRequests, "there were too many wrong tokens; wait a little",
                fields: [("Retry-After", "\(TokenRateLimit.secondsBetween)")])
        }
        guard Self.areEqual(given, Array(token.utf8)) else {
            rateLimit.failed(request.source, now: now)
            return Self.challenge
        }
        rateLimit.succeeded(request.source, now: now)
        return nil
    }

    private static let challenge = Response.sentence(
        .unauthorized, "the WEB_TOKEN is needed, as a bearer token or as the password of any user", fields: challenges)

    fileprivate static let challenges = [
        ("WWW-Authenticate", #"Basic realm="snapshot", charset="UTF-8""#),
        ("WWW-Authenticate", #"Bearer realm="snapshot""#),
    ]

    /// The token in an Authorization header: that of `Bearer TOKEN`, or the password of `Basic …` for any user name.
    static func credential(_ header: String?) -> [UInt8]? {
        let parts = (header ?? "").split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        switch parts[0].lowercased() {
        case "bearer": return Array(parts[1].utf8)
        case "basic":
            guard let pair = Data(base64Encoded: String(parts[1])),
                let colon = pair.firstIndex(of: UInt8(ascii: ":"))
            else {
                return nil
            }
            return Array(pair[pair.index(after: colon)...])
        default: return nil
        }
    }

    /// Compares in a time that depends on the length of `given` alone, not on how much of it is right.
    static func areEqual(_ given: [UInt8], _ secret: [UInt8]) -> Bool {
        var difference = given.count ^ secret.count
        for (index, byte) in given.enumerated() where !secret.isEmpty {
            difference |= Int(byte ^ secret[index % secret.count])
        }
        return difference == 0
    }
}

extension Response {
    /// This page with status 401, which makes a browser ask for the token; it is shown if none is entered.
    var askingForToken: Response {
        var response = self
        response.status = .unauthorized
        response.fields += PictureGate.challenges
        return response
    }
}
