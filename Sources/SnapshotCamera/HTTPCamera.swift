import SnapshotBase
import SnapshotHTTP

/// Any camera that answers a GET with a JPEG. Login is by Basic or Digest, as the camera asks.
struct HTTPCamera: Camera {
    let settings: CameraSettings
    let url: String
    let client: HTTPClient
    let trust: CameraTrust

    /// Host and port in normal form.
    private var host: String? { URLParts(url).flatMap(\.server)?.description }

    private static let mostRedirects = 5

    func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        var url = url
        var redirects = 0
        while true {
            let response = try response(of: url, &memory, deadline)
            if settings.follow == .sameHost, let next = try redirect(response, from: url) {
                redirects += 1
                guard redirects <= Self.mostRedirects else {
                    throw redirected(response, "one redirect more than the \(Self.mostRedirects) that are followed")
                }
                url = next
                continue
            }
            if let failure = Failure.cameraStatus(response, settings) { throw failure }
            return response.body
        }
    }

    /// The target of a redirect; nil where the response isn't one.
    /// - Throws: where the target has another host, port or scheme.
    private func redirect(_ response: HTTPResponse, from url: String) throws(Failure) -> String? {
        guard [301, 302, 303, 307, 308].contains(response.status), let location = response.headers["location"] else {
            return nil
        }
        guard let here = URLParts(url), let next = here.resolving(location) else {
            throw redirected(response, "a redirect to an invalid address")
        }
        guard next.scheme == here.scheme, let server = next.server, server == here.server else {
            throw redirected(
                response,
                "a redirect to \(ForeignText("\(next.scheme)://\(next.authority)", limit: 80)), which isn't this host and port"
            )
        }
        return next.withoutUser
    }

    private func redirected(_ response: HTTPResponse, _ why: String) -> Failure {
        Failure(
            .camera(.redirect), "no picture from camera", settings.address,
            why: "HTTP status \(response.status), \(why)", hint: "set CAMERA_URL to the picture's final address")
    }

    /// Requests the picture, with a login where the camera asks for one, and returns the last response.
    private func response(
        of url: String, _ memory: inout CameraMemory, _ deadline: Deadline
    ) throws(Failure) -> HTTPResponse {
        var request = HTTPRequest("GET", url, through: nil, deadline: deadline)
        request.credentials = settings.loginUser.map { ($0, settings.password) }
        let hadOfferedDigest = host != nil && memory.digestAuthHost == host
        request.needsDigest = hadOfferedDigest
        request.sendsBasic = !hadOfferedDigest && memory.auth == "basic"
        var response = try client.picture(request, of: settings, trust, &memory)
        if response.hasOfferedDigest { (memory.digestAuthHost, memory.auth) = (host, nil) }
        if let withLogin = ownLogin(for: response, request) {
            response = try client.picture(withLogin, of: settings, trust, &memory)
            request = withLogin
        } else if mayTryBasic(after: response, request) {
            request.sendsBasic = true
            response = try client.picture(request, of: settings, trust, &memory)
            if response.hasOfferedDigest { memory.digestAuthHost = host }
            if !response.refusesLogin { memory.auth = "basic" }
        }
        guard response.refusesLogin else { return response }
        throw .cameraLogin(response, settings, LoginAttempt(request, response, hadOfferedDigest: hadOfferedDigest))
    }

    /// The request with a Digest login for challenges that libcurl can't parse, e.g. with blanks around `=`; nil where
    /// libcurl has answered the challenge.
    private func ownLogin(for response: HTTPResponse, _ request: HTTPRequest) -> HTTPRequest? {
        guard let credentials = request.credentials, response.refusesLogin, !response.hasAnsweredChallenge,
            var login = Authorizer(LoginChallenge.all(response.challenges), mayBeBasic: false),
            let target = URLParts(request.url)?.target
        else { return nil }
        var withLogin = request
        let nonce = hexadecimal(Crypto.random(8))
        // A URL may have a query right after the host, but a request's path begins with a slash.
        let path = target.hasPrefix("/") ? target : "/" + target
        let value = login.authorization(
            user: credentials.user, password: credentials.password, method: request.method, url: path,
            clientNonce: nonce)
        withLogin.headers.append(("Authorization", value))
        withLogin.credentials = nil
        return withLogin
    }

    /// Whether to send Basic unasked: the login was refused without a challenge, or with one for Basic that libcurl
    /// left unanswered, and the server has never offered Digest.
    private func mayTryBasic(after response: HTTPResponse, _ request: HTTPRequest) -> Bool {
        request.credentials != nil && response.refusesLogin && !request.sendsBasic && !request.needsDigest
            && !response.hasOfferedDigest && !response.hasAnsweredChallenge
            && (response.challenges.isEmpty || response.offers("basic"))
    }
}

extension URLParts {
    /// Host and port in normal form.
    fileprivate var server: HostAndPort? { HostAndPort(authority, defaultPort: scheme == "https" ? 443 : 80) }
}

extension HTTPResponse {
    fileprivate var refusesLogin: Bool { [401, 403].contains(status) }

    fileprivate func offers(_ scheme: String) -> Bool {
        LoginChallenge.all(challenges).contains { $0.scheme == scheme }
    }
}

/// How a refused login was attempted.
struct LoginAttempt {
    enum Way {
        case none, basic, digest
        /// No credentials were sent: the server offered Digest before, and now offers less.
        case weaker
        /// No credentials were sent: the server offers only these schemes, which aren't supported.
        case unknown([String])
    }

    let way: Way
    /// Whether the server has sent a challenge.
    let isChallenged: Bool

    fileprivate init(_ request: HTTPRequest, _ response: HTTPResponse, hadOfferedDigest: Bool) {
        let isOwn = request.headers.contains { $0.name == "Authorization" }
        isChallenged = isOwn || response.hasAnsweredChallenge || !response.challenges.isEmpty
        if request.credentials == nil, !isOwn {
            way = .none
        } else if request.sendsBasic {
            way = .basic
        } else if isOwn || response.hasOfferedDigest && response.hasAnsweredChallenge {
            way = .digest
        } else if response.hasAnsweredChallenge {
            way = .basic
        } else if hadOfferedDigest, !response.hasOfferedDigest {
            way = .weaker
        } else {
            way = .unknown(LoginChallenge.all(response.challenges).map { "\(ForeignText($0.scheme, limit: 20))" })
        }
    }
}
