import SnapshotBase
import SnapshotHTTP

/// A Reolink camera, NVR or hub over its HTTP API: `Snap` with a session token, or with user and password.
///
/// Cameras allow few sessions and lock out clients with wrong passwords. So a token is kept between runs and renewed
/// early, the replaced one is logged out, and once the credentials are refused no other login is tried in this run.
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
        case .token: return try snapByToken(&memory, deadline).body()
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
                // A token-only camera answers a password login with "log in first". Report the earlier error instead;
                // it says why there is no token.
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

    /// The result of a request by token.
    private enum TokenResult {
        case picture([UInt8])
        /// Login by token isn't possible now; if `isLasting`, it never will be.
        case noLogin(Failure, isLasting: Bool)

        func body() throws(Failure) -> [UInt8] {
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
            // The camera has restarted or ended the session: there is nothing to log out.
            log.verbose("the camera no longer knows the session")
            memory.session = nil
        }
        let replaced = memory.session
        switch try logIn(&memory, deadline) {
        case .failed(let failure, let isLasting): return .noLogin(failure, isLasting: isLasting)
        case .done: break
        }
        if let replaced { logOut(replaced.token, deadline) }
        guard let session = memory.session else { return .noLogin(.unexpectedLoginAnswer(settings), isLasting: false) }
        let body = try snap(session, &memory, deadline)
        if case .error(let code, let detail, let tries) = errorIn(body), isTokenError(code) {
            // Older firmware issues tokens and doesn't accept them.
            logOut(session.token, deadline)
            memory.session = nil
            let failure = ReolinkError.failure(code, detail: detail, remainingTries: tries, settings)
            return .noLogin(failure, isLasting: true)
        }
        return .picture(try good(body))
    }

    private func snapByPassword(_ memory: inout CameraMemory, _ deadline: Deadline) throws(Failure) -> [UInt8] {
        // Some firmware compares these bytes without decoding, so only what would break the request is escaped.
        let safe = "!$'()*,/:;=?@"
        let login =
            "user=\(percentEncoded(settings.username, also: safe))"
            + "&password=\(percentEncoded(settings.password, also: safe))"
        return try good(try snap(login: login, &memory, deadline))
    }

    private func snap(
        _ session: CameraMemory.Session, _ memory: inout CameraMemory, _ deadline: Deadline
    ) throws(Failure) -> [UInt8] {
        Secrets.ofThisRun.register(token: session.token)
        return try snap(login: "token=\(session.token)", &memory, deadline)
    }

    private func snap(
        login: String, _ memory: inout CameraMemory, _ deadline: Deadline
    ) throws(Failure) -> [UInt8] {
        var query = "cmd=Snap&channel=\(settings.channel)&rs=\(hexadecimal(Crypto.random(4)))&\(login)"
        query += "&snapType=\(settings.stream.rawValue)"
        if let size = settings.size { query += "&width=\(size.width)&height=\(size.height)" }
        let request = HTTPRequest("GET", url(query), through: nil, deadline: deadline)
        let response = try client.picture(request, of: settings, trust, &memory)
        if let failure = Failure.cameraStatus(response, settings) { throw failure }
        return response.body
    }

    /// The result of a login by token; `isLasting`: the camera will never support it.
    package enum LoginResult {
        case done
        case failed(Failure, isLasting: Bool)
    }

    /// Logs in once, and stores the session in `memory`.
    /// - Returns: `failed` where login by token isn't possible.
    /// - Throws: refused credentials, and all other errors.
    package func logIn(_ memory: inout CameraMemory, _ deadline: Deadline) throws(Failure) -> LoginResult {
        if memory.isLoginPaused(clock) {
            throw ReolinkError.failure(ReolinkError.tooFrequent, detail: "", remainingTries: nil, settings)
        }
        var request = HTTPRequest("POST", url("cmd=Login"), through: nil, deadline: deadline)
        let user: JSONObject = ["userName": settings.username, "password": settings.password]
        request.ask("Login", with: ["User": user])
        let response: HTTPResponse
        do throws(Failure) { response = try client.ask(request, of: settings, trust) } catch {
            // `ask` reports a login answer over the size limit like a picture that is too large.
            guard error.code == .picture(.tooLarge) else { throw error }
            throw .unexpectedLoginAnswer(settings)
        }
        if [404, 405, 501].contains(response.status) {
            return .failed(.unexpectedLoginAnswer(settings), isLasting: true)
        }
        if let failure = Failure.cameraStatus(response, settings) { throw failure }
        switch ReolinkAnswer(response.body) {
        case .token(let name, let lease):
            let renewal = clock.up().seconds + lease - min(300, lease / 10)
            memory.loginPause = nil
            memory.session = .init(token: name, renewal: renewal, boot: clock.boot, loginHMAC: loginHMAC(memory))
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
            // Either older firmware, or a camera that is still starting: don't remember that it gives no token.
            return .failed(.unexpectedLoginAnswer(settings), isLasting: false)
        }
    }

    /// Logs out; errors are ignored, since an open session ends by its lease.
    package func logOut(_ token: String, _ deadline: Deadline) {
        var request = HTTPRequest(
            "POST", url("cmd=Logout&token=\(token)"), through: nil, deadline: deadline.sooner(.seconds(2)))
        request.ask("Logout")
        _ = try? client.ask(request, of: settings, trust)
    }

    /// The URL of Reolink's API with this query.
    package func url(_ query: String) -> String {
        "\(settings.useHTTPS ? "https" : "http")://\(host)/cgi-bin/api.cgi?\(query)"
    }

    /// Whether the session was opened with the present user and password, and its lease isn't about to end.
    package func isUsable(_ session: CameraMemory.Session, _ memory: CameraMemory) -> Bool {
        guard session.loginHMAC == loginHMAC(memory) else { return false }
        // After a reboot of this machine the session's age is unknown: use it, and the camera reports a token error if
        // it has ended.
        return session.boot != clock.boot || clock.up().seconds < session.renewal
    }

    private func loginHMAC(_ memory: CameraMemory) -> String {
        memory.hmac(of: "\(settings.username) \(settings.password)")
    }

    /// Whether this `rspCode` means that the session token isn't valid.
    package func isTokenError(_ code: Int) -> Bool {
        code == ReolinkError.loginFirst || code == ReolinkError.badToken
    }

    private func errorIn(_ body: [UInt8]) -> ReolinkAnswer? {
        body.starts(with: JPEG.start) ? nil : ReolinkAnswer(body)
    }

    /// The body, unless it is an error in JSON.
    private func good(_ body: [UInt8]) throws(Failure) -> [UInt8] {
        guard case .error(let code, let detail, let tries) = errorIn(body) else { return body }
        throw ReolinkError.failure(code, detail: detail, remainingTries: tries, settings)
    }
}

extension Failure {
    fileprivate static func unexpectedLoginAnswer(_ settings: CameraSettings) -> Failure {
        Failure(
            .camera(.login), "cannot log in to camera", settings.address,
            why: "it doesn't answer as a Reolink does",
            hint: "other cameras need CAMERA_URL; or try CAMERA_AUTH=password")
    }
}

extension HTTPRequest {
    /// Makes a command of Reolink's API the body.
    package mutating func ask(_ command: String, with parameters: JSONObject = [:]) {
        headers = [("Content-Type", "application/json")]
        let call: JSONObject = ["cmd": command, "action": 0, "param": parameters]
        body = .bytes([call].json.bytes)
    }
}
