import SnapshotBase
import SnapshotCamera
import SnapshotHTTP

/// Checks a Reolink camera step by step: connect, log in, ask for the model, take a picture, log out.
struct ReolinkCheck {
    private var settings: CameraSettings
    private let host: String
    private let client: HTTPClient
    private let trust: CameraTrust
    private let log: Log
    private(set) var memory: CameraMemory
    private let remembered: CameraMemory.Session?
    private let deadline: Deadline
    private var result = CameraCheck.Result()
    /// Tokens of the sessions that were opened here.
    private var opened: [String] = []
    private var hasAnswered = false
    /// What is known of the camera, for its finding: that it answers, then its model and firmware.
    private var statement = "answers"
    private var facts: [String: JSON] = [:]

    init(settings: CameraSettings, host: String, trust: CameraTrust, log: Log, memory: CameraMemory) {
        self.settings = settings
        self.host = host
        client = HTTPClient(settings.context)
        self.trust = trust
        self.log = log
        self.memory = memory
        remembered = memory.session
        deadline = .after(settings.timeout)
    }

    private var camera: ReolinkCamera {
        ReolinkCamera(settings: settings, host: host, client: client, trust: trust, log: log)
    }

    mutating func run() -> CameraCheck.Result {
        do throws(Failure) {
            let login = try logIn()
            try takePicture(login)
        } catch {
            if Self.unreached.contains(error.code), !hasAnswered {
                result.findings.append(.failed("camera", error))
            } else {
                result.findings += [cameraLine, .failed("login", error)]
            }
        }
        logOut()
        return result
    }

    /// - Throws: a failure that concerns the connection or the login rather than the picture.
    private mutating func takePicture(_ login: String) throws(Failure) {
        let watch = settings.context.clock.stopwatch()
        let picture: Finding
        do throws(Failure) {
            let body = try camera.snapshot(memory: &memory, deadline: deadline)
            picture = try .picture(body, settings, by: watch, log)
            result.isAccepted = true
        } catch {
            let isEarlier = error.kind == .cameraRefused || (Self.unreached.contains(error.code) && !hasAnswered)
            if isEarlier { throw error }
            picture = .failed("picture", error)
        }
        result.findings += [cameraLine, .passed("login", "as \(settings.username), \(login)"), picture]
    }

    /// Failures that leave open whether there is a camera at all.
    private static let unreached: Set<Failure.Code> = [
        .camera(.unresolved), .camera(.unreachable), .camera(.timeout), .camera(.tls), .camera(.keyChanged),
        .camera(.lost), .camera(.invalid), .camera(.pins), .own(.state),
    ]

    private var cameraLine: Finding { .passed("camera", "\(settings.address) \(statement)", facts: facts) }

    /// Opens a session, or chooses to send user and password with each request.
    /// - Returns: how it logs in, for the finding.
    private mutating func logIn() throws(Failure) -> String {
        let byPassword = "by user and password with each picture"
        if settings.auth == .password || (settings.auth == .auto && memory.auth == "password") { return byPassword }
        if let session = memory.session, camera.isUsable(session, memory), askForModel(session.token) {
            return "by the session that captures keep"
        }
        memory.session = nil
        let login = try camera.logIn(&memory, deadline)
        hasAnswered = true
        switch login {
        case .done:
            if let session = memory.session {
                opened.append(session.token)
                _ = askForModel(session.token)
            }
            return "by a session that was closed again"
        case .failed(let failure, _):
            guard settings.auth == .auto else { throw failure }
            settings.auth = .password
            return byPassword + ", since it gives no session: \(failure.why)"
        }
    }

    /// Asks for model and firmware. A camera that doesn't name them is no failure.
    /// - Returns: false where the camera doesn't accept the session.
    private mutating func askForModel(_ token: String) -> Bool {
        var request = HTTPRequest(
            "POST", camera.url("cmd=GetDevInfo&token=\(token)"), through: nil, deadline: deadline.sooner(.seconds(4)))
        request.ask("GetDevInfo")
        guard let response = try? client.ask(request, of: settings, trust) else {
            return true
        }
        hasAnswered = true
        result.clockOffset = response.clockOffset
        if case .error(let code, _, _) = ReolinkAnswer(response.body) { return !camera.isTokenError(code) }
        if let device = DeviceInfo(response.body) {
            statement = "is a \(device.model), firmware \(device.firmware)"
            facts = ["model": .string(device.model), "firmware": .string(device.firmware)]
        }
        return true
    }

    /// Ends the sessions opened here, but not the one that captures keep.
    private mutating func logOut() {
        if let session = memory.session, session != remembered { opened.append(session.token) }
        for token in Set(opened) { camera.logOut(token, .after(.milliseconds(1500))) }
    }
}

/// A camera's model and firmware, from its response to GetDevInfo.
private struct DeviceInfo {
    let model: String
    let firmware: String

    init?(_ body: [UInt8]) {
        let info = JSON(body.prefix(65536))?[0]?["value"]?["DevInfo"]
        guard let model = info?["model"]?.string, let firmware = info?["firmVer"]?.string else { return nil }
        self.model = model
        self.firmware = firmware
    }
}
