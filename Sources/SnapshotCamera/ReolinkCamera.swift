import SnapshotBase
import SnapshotHTTP

/// A Reolink camera, NVR or hub over its HTTP API: `Snap` with a leased token, or with user and password.
///
/// Cameras allow few sessions and lock out who tries wrong passwords, so a token is kept between runs and renewed
/// early, the one it replaces is logged out, and a refusal ends the run.
package struct ReolinkCamera: Camera {
    let settings: CameraSettings
    let host: String
    let client: HTTPClient
    let trust: CameraTrust
    let log: Log

    package init(settings: CameraSettings, host: String, client: HTTPClient, trust: CameraTrust, log: Log) {
        self.settings = settings
        self.host = host
        self.client = client
        self.trust = trust
        self.log = log
    }

    package func snapshot(memory: inout CameraMemory, deadline: Deadline) throws(Failure) -> [UInt8] {
        switch settings.auth {
        case .password: return try snapByPassword(&memory, deadline)
        case .token: return try snapByToken(&memory, deadline).body(orElse: settings)
        case .auto: break
        }
        if memory.auth == "password" {
            do throws(Failure) { return try snapByPassword(&memory, deadline) } catch {
                guard error.code == .reolink(ReolinkError.loginFirst) else { throw error }
                log.verbose("user and password are no longer enough")
                memory.auth = nil
            }
        }
        switch try snapByToken(&memory, deadline) {
        case .picture(let body):
            memory.auth = "token"
            return body
        case .noLogin(let why, let isLasting):
            log.verbose("no login by token: \(why); trying user and password")
            do throws(Failure) {
                let body = try snapByPassword(&memory, deadline)
                if isLasting, body.starts(with: JPEG.start) { memory.auth = "password" }
                return body
            } catch {
                // A camera that takes tokens only says no more than that it wants one: why there is none, it said before.
                throw !isLasting && error.code == .reolink(ReolinkError.loginFirst) ? why : error
            }
        }
    }

    package func endSession(_ memory: inout CameraMemory) {
        guard let session = memory.session else { return }
        logOut(session.token, .after(.seconds(2)))
        memory.session = nil
    }

    private var clock: SystemClock { settings.context.clock }

    /// What asking with a token came to.
    private enum TokenResult {
        case picture([UInt8])
        /// This camera can't, now or ever, be asked this way.
        case noLogin(Failure, isLasting: Bool)

        func body(orElse settings: CameraSettings) throws(Failure) -> [UInt8] {
            switch self {
            case .picture(let body): return body
            case .noLogin(let failure, _): throw failure
            }
        }
    }

    private func snapByToken(_ memory: inout CameraMemory, _ deadline: Deadline) throws(Failure)
        -> TokenResult
    {
        if let session = memory.session, isUsable(session, memory) {
            let body = try snap(session, &memory, deadline)
            guard case .error(let code, _, _) = errorIn(body), isTokenError(code) else {
                return .picture(try good(body))
            }
            // The camera has restarted, or ended the session by itself: there is nothing to log out.
            log.verbose("the camera no longer knows the session")
            memory.session = nil
        }
        let replaced = memory.session
        switch try logIn(&memory, deadline) {
        case .failed(let failure, let isLasting): return .noLogin(failure, isLasting: isLasting)
        case .done: break
        }
        if let replaced { logOut(replaced.token, deadline) }
        guard let session = memory.session else { return .noLogin(.badLogin(settings), isLasting: false) }
        let body = try snap(session, &memory, deadline)
        if case .error(let code, let detail, let tries) = errorIn(body), isTokenError(code) {
            // A new token that isn't taken: older firmware.
            logOut(session.token, deadline)
            memory.session = nil
            let failure = ReolinkError.failure(code, detail: detail, remainingTries: tries, settings)
            return .noLogin(failure, isLasting: true)
        }
        return .picture(try good(body))
    }

    private func snapByPassword(_ memory: inout CameraMemory, _ deadline: Deadline) throws(Failure) -> [UInt8] {
        // Some firmware compares these bytes undecoded, so only what would break the request is escaped.
        let safe = "!$'()*,/:;=?@"
        let login =
            "user=\(percentEncoded(settings.username, also: safe))"
            + "&password=\(percentEncoded(settings.password, also: safe))"
        return try good(try snap(login: login, &memory, deadline))
    }

    private func snap(
        _ session: CameraMemory.Session, _ memory: inout CameraMemory, _ deadline: Deadline
    ) throws(Failure) -> [UInt8] {
        Secrets.ofThisRun.note(token: session.token)
        return try snap(login: "token=\(session.token)", &memory, deadline)
    }

    private func snap(
        login: String, _ memory: inout CameraMemory, _ deadline: Deadline
    ) throws(Failure) -> [UInt8] {
        var query = "cmd=Snap&channel=\(settings.channel)&rs=\(hexadecimal(Crypto.random(4)))&\(login)"
        query += "&snapType=\(settings.stream.rawValue)"
        if let size = settings.size { query += "&width=\(size.width)&height=\(size.height)" }
        let request = HTTPRequest("GET", url(query), deadline: deadline)
        let response = try client.picture(request, of: settings, trust, &memory)
        if let failure = Failure.cameraStatus(response, settings) { throw failure }
        return response.body
    }

    package enum LoginResult {
        case done
        case failed(Failure, isLasting: Bool)
    }

    /// One login. Refused credentials throw; a camera that can't log in says so.
    package func logIn(_ memory: inout CameraMemory, _ deadline: Deadline) throws(Failure) -> LoginResult {
        if memory.loginsRest(clock) {
            throw ReolinkError.failure(ReolinkError.tooFrequent, detail: "", remainingTries: nil, settings)
        }
        var request = HTTPRequest("POST", url("cmd=Login"), deadline: deadline)
        let user: JSONObject = ["userName": settings.username, "password": settings.password]
        request.ask("Login", with: ["User": user])
        let response = try client.ask(request, of: settings, trust)
        if [404, 405, 501].contains(response.status) { return .failed(.badLogin(settings), isLasting: true) }
        if let failure = Failure.cameraStatus(response, settings) { throw failure }
        switch ReolinkAnswer(response.body) {
        case .token(let name, let lease):
            let renewal = clock.up().seconds + lease - min(300, lease / 10)
            memory.loginPause = nil
            memory.session = .init(token: name, renewal: renewal, boot: clock.boot, login: login(memory))
            return .done
        case .error(let code, let detail, let tries):
            let failure = ReolinkError.failure(code, detail: detail, remainingTries: tries, settings)
            if ReolinkError.isRefusal(code, detail) { throw failure }
            if ReolinkError.unsupported.contains(code) { return .failed(failure, isLasting: true) }
            if code == ReolinkError.tooFrequent {
                memory.loginPause = .init(until: clock.up().seconds + 60, boot: clock.boot)
            }
            if code == ReolinkError.maxSessions { return .failed(failure, isLasting: false) }
            throw failure
        case .ok, .unreadable:
            log.verbose("login answer: \(escapedStart(of: response.body))")
            // Perhaps of an older firmware, perhaps of one that is still starting.
            return .failed(.badLogin(settings), isLasting: false)
        }
    }

    /// Best effort: a session that stays open ends by itself.
    package func logOut(_ token: String, _ deadline: Deadline) {
        var request = HTTPRequest(
            "POST", url("cmd=Logout&token=\(token)"), deadline: deadline.sooner(.seconds(2)))
        request.ask("Logout")
        _ = try? client.ask(request, of: settings, trust)
    }

    package func url(_ query: String) -> String {
        "\(settings.useHTTPS ? "https" : "http")://\(host)/cgi-bin/api.cgi?\(query)"
    }

    /// Whether the session was opened with the present settings and its lease isn't about to end.
    package func isUsable(_ session: CameraMemory.Session, _ memory: CameraMemory) -> Bool {
        guard session.login == login(memory) else { return false }
        // In another boot nothing is known of its age; the camera will say.
        return session.boot != clock.boot || clock.up().seconds < session.renewal
    }

    private func login(_ memory: CameraMemory) -> String {
        memory.digest("\(settings.username) \(settings.password)")
    }

    package func isTokenError(_ code: Int) -> Bool {
        code == ReolinkError.loginFirst || code == ReolinkError.badToken
    }

    private func errorIn(_ body: [UInt8]) -> ReolinkAnswer? {
        body.starts(with: JPEG.start) ? nil : ReolinkAnswer(body)
    }

    /// The body, unless it is an error of the camera's.
    private func good(_ body: [UInt8]) throws(Failure) -> [UInt8] {
        guard case .error(let code, let detail, let tries) = errorIn(body) else { return body }
        throw ReolinkError.failure(code, detail: detail, remainingTries: tries, settings)
    }
}

extension Failure {
    fileprivate static func badLogin(_ settings: CameraSettings) -> Failure {
        Failure(
            .camera(.login), "no login at camera", settings.address,
            why: "it doesn't answer as a Reolink does",
            hint: "other cameras need CAMERA_URL; or try CAMERA_AUTH=password")
    }
}

extension HTTPRequest {
    /// A command of Reolink's API as the body.
    package mutating func ask(_ command: String, with parameters: JSONObject = [:]) {
        headers = [("Content-Type", "application/json")]
        let call: JSONObject = ["cmd": command, "action": 0, "param": parameters]
        body = .bytes([call].json.bytes)
    }
}
