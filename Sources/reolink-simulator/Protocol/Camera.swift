import Synchronization

/// The camera behind `/cgi-bin/api.cgi`: login, logout, snapshots, and the commands that query it.
final class Camera: Sendable {
    struct Rules: Sendable {
        let user: String
        let password: String
        let maxSessions: Int
        let lease: Int
        let snapAuth: SnapAuth
        /// Whether a query's password is compared as it was sent, without percent-decoding.
        let rawCompare: Bool
    }

    enum SnapAuth: String, Sendable, CaseIterable { case both, token, password }

    struct Counters: Sendable {
        var logins = 0
        var logouts = 0
        var failedLogins = 0
        var snaps = 0
        var pictures = 0
        var requests = 0
        var lastUserAgent: String?
    }

    private struct State: Sendable {
        var sessions: Sessions
        var account: Account
        var faults: FaultPlan
        var counters = Counters()
        /// After a Logout without a token, some firmware issues only invalid tokens.
        var tokensAreDead = false
    }

    private let rules: Rules
    private let device: Device
    private let pictures: Pictures
    private let state: Mutex<State>

    init(rules: Rules, device: Device, pictures: Pictures, faults: FaultPlan) {
        self.rules = rules
        self.device = device
        self.pictures = pictures
        state = Mutex(Self.freshState(rules, faults: faults))
    }

    private static func freshState(_ rules: Rules, faults: FaultPlan) -> State {
        State(
            sessions: Sessions(limit: rules.maxSessions, lease: .seconds(rules.lease)),
            account: Account(user: rules.user, password: rules.password), faults: faults)
    }

    // MARK: requests

    func answer(_ request: Request, secure: Bool) -> Answer {
        let commands = JSON(request.body)?.array ?? []
        let command = request.query["cmd"] ?? commands.first?["cmd"]?.string ?? ""
        state.withLock {
            $0.counters.requests += 1
            if let agent = request.headers["user-agent"] { $0.counters.lastUserAgent = agent }
        }
        if !secure, let fault = take(.plainHTTP) { return struck(by: fault, command) { _ in } }
        switch command {
        case "Login":
            let user = commands.first?["param"]?["User"]
            return struck(by: take(.login) ?? take(.session), command) { $0 = self.login(user) }
        case "Logout": return logout(request.query["token"])
        case "Snap":
            state.withLock { $0.counters.snaps += 1 }
            return snap(request.query)
        default: return batch(commands, command, request)
        }
    }

    private func take(_ target: Fault.Target) -> Fault? { state.withLock { $0.faults.take(target) } }

    private func struck(by fault: Fault?, _ command: String, real: (inout Answer) -> Void) -> Answer {
        var answer = Answer([], type: "text/html")
        if let replacement = fault?.kind.replacement(command: command, httpsPort: device.httpsPort) {
            answer = replacement
        } else {
            real(&answer)
            fault?.kind.spoil(&answer)
        }
        answer.fault = fault?.name
        return answer
    }

    private func login(_ user: JSON?) -> Answer {
        let now = ContinuousClock.now
        return state.withLock { state in
            guard let name = user?["userName"]?.string, let password = user?["password"]?.string else {
                return Answer(Refusal(-4), to: "Login")
            }
            do throws(Refusal) {
                try Self.check(&state, name, Array(password.utf8), now)
                guard let token = state.sessions.open(now: now) else { throw Refusal(-5) }
                state.counters.logins += 1
                let lease: JSON = ["leaseTime": .int(rules.lease), "name": .string(token)]
                return Answer([["cmd": "Login", "code": 0, "value": ["Token": lease]]])
            } catch {
                return Answer(error, to: "Login")
            }
        }
    }

    private static func check(
        _ state: inout State, _ name: String, _ password: [UInt8], _ now: ContinuousClock.Instant
    ) throws(Refusal) {
        do { try state.account.check(user: name, password: password, now: now) } catch {
            state.counters.failedLogins += 1
            throw error
        }
    }

    private func logout(_ token: String?) -> Answer {
        state.withLock { state in
            guard let token else {
                state.tokensAreDead = true
                return Answer(.loginFirst, to: "Logout")
            }
            guard state.sessions.close(token, now: .now) else { return Answer(.loginFirst, to: "Logout") }
            state.counters.logouts += 1
            return Answer([["cmd": "Logout", "code": 0, "value": ["rspCode": 200]]])
        }
    }

    // MARK: pictures

    private func snap(_ query: Query) -> Answer {
        let size: PictureSize
        do throws(Refusal) {
            try authorise(query)
            guard let channel = query["channel"] else { throw Refusal(-1) }
            guard let number = Int(channel), (0..<device.channels).contains(number) else {
                throw Refusal(-49)
            }
            size = try Self.size(query, device)
        } catch {
            return Answer(error, to: "Snap")
        }
        let fault = take(query["token"] != nil ? .tokenSnap : .session) ?? take(.snap)
        return struck(by: fault, "Snap") { answer in
            let pattern: TestPattern.Kind = fault?.kind == .covered ? .black : .clock
            if let picture = pictures.next(size, pattern: pattern, frozen: fault?.kind == .frozen) {
                state.withLock { $0.counters.pictures += 1 }
                answer = Answer(picture, type: "image/jpeg")
            } else {
                answer = Answer(Refusal(-48), to: "Snap")
            }
        }
    }

    private func authorise(_ query: Query) throws(Refusal) {
        if let token = query["token"] {
            guard rules.snapAuth != .password, isOpen(token) else { throw .loginFirst }
        } else if let user = query["user"], let sent = query.raw("password") {
            guard rules.snapAuth != .token else { throw .loginFirst }
            let password = rules.rawCompare ? sent : Query.decoded(sent)
            let refusal: Refusal? = state.withLock { state in
                do throws(Refusal) {
                    try Self.check(&state, user, password, .now)
                    return nil
                } catch {
                    return error
                }
            }
            if let refusal { throw refusal }
        } else {
            throw .loginFirst
        }
    }

    private func isOpen(_ token: String) -> Bool {
        state.withLock { !$0.tokensAreDead && $0.sessions.isOpen(token, now: .now) }
    }

    /// The stream's size, unless the query has both width and height.
    private static func size(_ query: Query, _ device: Device) throws(Refusal) -> PictureSize {
        guard let width = query["width"], let height = query["height"] else {
            return query["snapType"] == "sub" ? device.sub : device.main
        }
        guard let width = Int(width), let height = Int(height), PictureSize.allowed.contains(width),
            PictureSize.allowed.contains(height)
        else { throw Refusal(-4) }
        return PictureSize(width: width, height: height)
    }

    /// A good picture, independent of login and faults.
    func still() -> Answer {
        pictures.next(device.main).map { Answer($0, type: "image/jpeg") } ?? Answer(status: 404)
    }

    // MARK: questions

    private func batch(_ commands: [JSON], _ first: String, _ request: Request) -> Answer {
        guard let token = request.query["token"], isOpen(token) else {
            return Answer(.loginFirst, to: first.isEmpty ? "Unknown" : first)
        }
        guard !commands.isEmpty else { return Answer(Refusal(-1), to: first.isEmpty ? "Unknown" : first) }
        let host = String((request.headers["host"] ?? "127.0.0.1").prefix { $0 != ":" })
        let answers = commands.map { element -> JSON in
            let command = element["cmd"]?.string ?? "Unknown"
            do throws(Refusal) {
                let value = try device.value(of: command, param: element["param"], host: host)
                return ["cmd": .string(command), "code": 0, "value": value]
            } catch {
                return error.answer(to: command)
            }
        }
        return Answer(.array(answers))
    }

    // MARK: control

    func setFaults(_ faults: [PlannedFault]) { state.withLock { $0.faults.replace(with: faults) } }

    /// Resets sessions, locks, faults and counters.
    func reset() {
        state.withLock { state in
            var faults = state.faults
            faults.replace(with: [])
            state = Self.freshState(rules, faults: faults)
        }
    }

    var report: [String: JSON] {
        state.withLock { state in
            let counters = state.counters
            return [
                "logins": .int(counters.logins), "logouts": .int(counters.logouts),
                "failed_logins": .int(counters.failedLogins), "snaps": .int(counters.snaps),
                "pictures": .int(counters.pictures), "requests": .int(counters.requests),
                "sessions_open": .int(state.sessions.count(now: .now)),
                "locked": .bool(state.account.isLocked(now: .now)),
                "last_user_agent": counters.lastUserAgent.map(JSON.string) ?? .null,
            ]
        }
    }
}
