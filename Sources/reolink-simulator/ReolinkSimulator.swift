import ArgumentParser
import FoundationEssentials
import Glibc
import SnapshotBase

@main
struct ReolinkSimulator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reolink-simulator",
        abstract: "A Reolink camera on loopback, with faults on request.",
        discussion: """
            Prints one line of JSON with its ports, then serves until it is ended. While it runs, \
            POST /simulator/fault?name=NAME[&count=N] sets a fault (name=none clears all), GET /simulator/stats \
            returns counters, and POST /simulator/reset resets faults, sessions and counters.

            Faults: \(Fault.names.joined(separator: ", ")). Most strike Snap; locked and login-… strike \
            Login, max-session whatever opens a session, 300 all of plain HTTP, hang-connect new connections. rsp-49 answers \
            rspCode -49, slow:500 waits 500 ms.
            """)

    @Option(help: "HTTP port; 0 takes a free one.") var port = 0
    @Option(help: "HTTPS port; 0 takes a free one. Without it: no HTTPS.") var httpsPort: Int?
    @Option(help: "IPv4 address to listen on.") var bind = "127.0.0.1"
    @Option var username = "admin"
    @Option var password = ""
    @Option(help: "A file that holds the password.") var passwordFile: String?
    @Option(help: "What the camera says it is.") var model = "RLC-810A"
    @Option(help: "Sessions that may be open at once.") var maxSessions = 10
    @Option(help: "Life of a session in seconds.") var lease = 3600
    @Option var channels = 1
    @Option(help: "What Snap accepts: both, token or password.") var auth = Camera.SnapAuth.both
    @Flag(help: "Compare a query's password without percent decoding.") var rawCompare = false
    @Option(help: "A fault for COUNT requests, NAME[:COUNT]; given again, the faults come in order.")
    var fault: [PlannedFault] = []
    @Option(help: "Seed of the random fault.") var seed: UInt64 = 1
    @Option(help: "Share of Snap requests that the random fault strikes.") var faultRate = 0.3
    @Option(help: "Width of the main stream; the sub stream has half.") var width = 640
    @Option(help: "Height of the main stream.") var height = 360
    @Option(help: "A JPEG to serve instead of ffmpeg's; given again, they are served in turn.")
    var picture: [String] = []
    @Flag(help: "Always the same picture.") var frozen = false
    @Option(help: "PEM file with certificate and key, instead of a new self-signed one.") var certificate: String?
    @Option(help: "The RTSP port to report.") var rtspPort: Int?
    @Option(help: "A file for one JSON line a request, secrets included.") var log: String?
    @Option(help: "Answer discovery in this form: old or new (Reolink's), or onvif; can be given again.")
    var discovery: [DiscoveryAnswers.Form] = []
    @Option(help: "What the camera is called.") var name = "Simulator"
    @Option(help: "Its hardware address.") var mac = "ec:71:db:00:00:01"
    @Option(help: "Its UID.") var uid = "9527000SIMULATOR"

    func validate() throws {
        guard PictureSize.allowed.contains(width), PictureSize.allowed.contains(height) else {
            throw ValidationError("--width and --height must be \(PictureSize.allowed)")
        }
        guard channels > 0, maxSessions >= 0, lease > 0 else {
            throw ValidationError("--channels and --lease must be positive, --max-sessions not negative")
        }
    }

    func run() throws {
        do { try serve() } catch let error as StartupError {
            var text = "reolink-simulator: error: \(error)\n"
            if let hint = error.hint { text += "reolink-simulator: hint: \(hint)\n" }
            say(text, to: STDERR_FILENO)
            throw ExitCode(EX_UNAVAILABLE)
        }
    }

    private func serve() throws {
        signal(SIGPIPE, SIG_IGN)
        let size = PictureSize(width: width, height: height)
        let pictures = try Pictures(
            files: picture, frozen: frozen, environment: ProcessContext.current().environment)
        try pictures.prepare(size)
        let tls = try httpsPort.map { _ in try TLSContext(pemFile: certificate) }
        let http = try Listener(host: bind, port: port)
        let https = try httpsPort.map { try Listener(host: bind, port: $0) }

        let device = Device(
            model: model, name: name, mac: mac, uid: uid, user: username, channels: channels, main: size,
            httpPort: http.port,
            httpsPort: https?.port, rtspPort: rtspPort)
        let rules = Camera.Rules(
            user: username, password: try secret(), maxSessions: maxSessions, lease: lease, snapAuth: auth,
            rawCompare: rawCompare)
        let plan = FaultPlan(fault, seed: seed, rate: faultRate)
        let camera = Camera(rules: rules, device: device, pictures: pictures, faults: plan)
        let listeners = [http] + (https.map { [$0] } ?? [])
        let server = Server(camera: camera, listeners: listeners, log: try log.map(RequestLog.init))

        if let https, !detach({ https.run { server.serve($0, tls: tls) } }) {
            throw StartupError("https", "no thread can be started")
        }
        try DiscoveryAnswers(forms: discovery, host: bind, model: model, name: name, mac: mac, uid: uid).start()
        if plan.isDeaf { listeners.forEach { $0.setDeaf(true) } }
        let ready: JSON = [
            "http": .int(http.port), "https": https.map { .int($0.port) } ?? .null,
            "pid": .int(Int(getpid())),
        ]
        say(ready.line + "\n", to: STDOUT_FILENO)
        http.run { server.serve($0, tls: nil) }
    }

    private func say(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        write(descriptor, bytes, bytes.count)
    }

    private func secret() throws -> String {
        guard let passwordFile else { return password }
        guard let data = try? Data(contentsOf: URL(filePath: passwordFile)) else {
            throw StartupError("password file \(passwordFile)", "cannot be read")
        }
        var bytes = Array(data)
        while let last = bytes.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
            bytes.removeLast()
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Camera.SnapAuth: ExpressibleByArgument {}
extension DiscoveryAnswers.Form: ExpressibleByArgument {}
