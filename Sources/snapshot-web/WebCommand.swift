import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotSettings
import SnapshotWeb

@main
struct WebCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot-web",
        abstract: "Health, metrics and a status page of snapshot over HTTP.",
        discussion: """
            Serves the listening socket that systemd passes to it, and ends when nobody has asked for a while. Started \
            by hand, it listens on HEALTH_CHECK_ADDRESS (127.0.0.1), port HEALTH_CHECK_PORT (8080), until it is stopped.

            Exit codes: 0 stopped by a signal, or ended after a time without requests; 64 usage; 71 cannot listen; 78 settings.
            """,
        version: snapshotVersion)

    @Option(
        help: ArgumentHelp("Read settings from this file.", valueName: "file"), completion: .file(extensions: ["env"]))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "With a socket from systemd: end after this time without a request, 5s at least.",
            valueName: "duration"),
        transform: { text in
            guard let duration = Duration(setting: text), duration >= .seconds(5) else {
                throw ValidationError("must be a duration of at least 5s")
            }
            return duration
        })
    var idleExit: Duration = .seconds(30)

    func run() throws {
        do {
            var listeners = try Listener.inherited(environment: context.environment)
            let isInherited = !listeners.isEmpty
            let (options, warnings) = try readOptions(isService: isInherited)
            if !isInherited { listeners = [try Listener.bound(to: options.address, port: options.port)] }
            let server = Server(options: options, idleExit: isInherited ? idleExit : nil)
            try server.run(listeners) {
                guard !isInherited else { return }
                for warning in warnings { log.warn(warning) }
                let host =
                    options.address.contains(":") && !options.address.hasPrefix("[")
                    ? "[\(options.address)]" : options.address
                log.write(.info, "listening on http://\(host):\(listeners[0].port ?? options.port)/")
            }
        } catch let failure as Failure {
            throw exitCode(reporting: "\(failure)", hint: failure.hint, code: failure.exitCode)
        } catch let refused as Listener.Refused {
            throw exitCode(reporting: "\(refused)", hint: refused.hint, code: Listener.Refused.exitCode)
        } catch {
            throw exitCode(reporting: "cannot serve: \(error)", hint: nil, code: Listener.Refused.exitCode)
        }
    }

    /// Reads the settings. A service whose settings are wrong still reports health, since monitoring depends on it, but
    /// shows no pictures.
    private func readOptions(isService: Bool) throws(Failure) -> (WebOptions, warnings: [String]) {
        var settings: Settings?
        do throws(Failure) {
            let read = try Settings(in: context, path: config ?? credential)
            settings = read
            return (try WebOptions(read), read.warnings)
        } catch {
            guard isService else { throw error }
            log.report(error)
            return (WebOptions(settings, in: context, despite: error), [])
        }
    }

    /// The settings that systemd passes as a credential, for units whose own ExecStart= has no --config.
    private var credential: String? {
        context.environment["CREDENTIALS_DIRECTORY"].map { $0 + "/web.env" }.flatMap { fileExists($0) ? $0 : nil }
    }

    private func exitCode(reporting error: String, hint: String?, code: Int32) -> ExitCode {
        log.write(.error, "error: \(error)")
        if let hint { log.write(.error, "hint: \(hint)") }
        return ExitCode(code)
    }
}

private let context = ProcessContext.current()
private let log = Log("snapshot-web", in: context)
