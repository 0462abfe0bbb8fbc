import SnapshotBase
import SnapshotSettings

/// The options of `snapshot-web`, from its settings and environment.
package struct WebOptions: Sendable {
    package var statePath: String
    /// The seconds between captures, where the settings give them; otherwise the state does.
    package var interval: Double?
    /// The port to listen on when no socket is inherited; 0 takes any free one.
    package var port: Int
    /// The IP address to listen on when no socket is inherited.
    package var address: String
    var proxies = TrustedProxies()
    var origins = Origins()
    /// Whether pictures, live view and recordings are shown at all.
    package var showsPictures: Bool
    /// The token that a client has to send to see pictures; nil where none is set.
    package var token: String?
    /// The relay's folder, with `hls` and `record`.
    package var outputDirectory: String
    /// The folders that may hold `latest.jpg`, the preferred one first.
    package var runtimeDirectories: [String]
    /// The clock by which pages and health count ages.
    package let clock: SystemClock
    /// What is wrong with the settings, as a sentence, in which case no picture is shown; nil where they are right.
    package private(set) var settingsFailure: String?

    /// - Throws: a refusal of a setting (exit code 78) whose value isn't allowed.
    package init(_ settings: Settings) throws(Failure) {
        self.init(in: settings.context)
        let environment = settings.context.environment
        statePath = try settings[Key.statePath].map { resolved($0, environment) } ?? statePath
        outputDirectory = resolved(try settings[Key.outputDirectory], environment)
        if try settings.value(Key.captureInterval) != nil { interval = try settings[Key.captureInterval].seconds }
        port = try settings[Key.healthCheckPort]
        address = try settings[Key.healthCheckAddress]
        guard ipAddress(address) != nil else {
            throw settings.refusal(
                Key.healthCheckAddress, rule: "must be an IP address of this machine", hint: "0.0.0.0 is all of them")
        }
        guard let proxies = TrustedProxies(try settings[Key.webTrustProxy] ?? "") else {
            throw settings.refusal(
                Key.webTrustProxy, rule: "must be IP addresses, networks such as 10.0.0.0/8, or unix")
        }
        guard let origins = Origins(try settings[Key.webEmbedOrigins] ?? "") else {
            throw settings.refusal(
                Key.webEmbedOrigins, rule: "must be origins such as https://home.example:8123, without a path")
        }
        (self.proxies, self.origins) = (proxies, origins)
        showsPictures = try settings[Key.webImages]
        token = try settings.webToken()
    }

    /// The defaults.
    private init(in context: ProcessContext) {
        let environment = context.environment
        clock = context.clock
        statePath = directories("STATE_DIRECTORY", environment).first ?? "./state"
        port = Key.healthCheckPort.defaultValue
        address = Key.healthCheckAddress.defaultValue
        showsPictures = Key.webImages.defaultValue
        outputDirectory = resolved(Key.outputDirectory.defaultValue, environment)
        runtimeDirectories = directories("RUNTIME_DIRECTORY", environment) + ["/run/snapshot"]
    }

    /// The options of a service whose settings are wrong: it still reports health, and shows no pictures.
    /// - Parameter settings: nil where not even the file could be read.
    package init(_ settings: Settings?, in context: ProcessContext, despite failure: Failure) {
        self.init(in: context)
        if let path = try? settings?[Key.statePath] { statePath = resolved(path, context.environment) }
        settingsFailure = "\(failure)" + (failure.hint.map { "; \($0)" } ?? "")
    }
}

private func directories(_ name: String, _ environment: Environment) -> [String] {
    (environment[name] ?? "").split(separator: ":").map(String.init)
}

/// The path, resolved as the capturing service does it: under systemd a relative path starts at its state directory,
/// not at this process's working directory.
private func resolved(_ path: String, _ environment: Environment) -> String {
    if path.hasPrefix("/") { return path }
    let inside = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    return (directories("STATE_DIRECTORY", environment).first ?? ".") + "/" + inside
}
