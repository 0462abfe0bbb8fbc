import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotSettings
import SnapshotSetup

struct SetupCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup", abstract: "Set up camera, store and timer by four questions, and take the first picture.",
        discussion: """
            It asks which camera, where pictures go, how often, and who may see the status page. It tries each answer at once, \
            and writes nothing before the end. As root it writes /etc/snapshot/snapshot.env, the secrets beside it, and what the \
            units need, starts the timer and waits for its first picture. As a plain user it writes ./.env, takes a \
            picture, and prints a line for cron. Run again, it shows the present answers and lets you change one \
            of them; old settings files are kept as .bak. Every answer is also an option; with --yes nothing is asked, \
            settings that no option names keep their values, and the only Reolink on the network is \
            taken if no camera is given.

            A password that is given is tried once at the camera. With nothing but --web or --no-web it only opens or \
            closes the status page.

            Exit code: 0 it is set up and the first picture is stored, or you quit; 64 an answer is missing or refused; \
            69 camera; 74 a file can't be written; 75 store; 77 credentials refused, or a camera that can't be \
            trusted; 78 settings.
            """)

    @Option(help: "A Reolink's address, the URL of any other camera, or /dev/videoN.") var camera: String?
    @Option(help: "The camera's user.") var username: String?
    @Option(
        help: ArgumentHelp("A file that holds the camera's password.", valueName: "file"), completion: .file())
    var passwordFile: String?
    @Option(help: "Pictures go into this folder.", completion: .directory) var folder: String?
    @Option(
        name: .customLong("s3"),
        help: ArgumentHelp("Pictures go into this bucket, BUCKET or BUCKET/PREFIX.", valueName: "bucket"))
    var bucket: String?
    @Option(name: .customLong("http"), help: ArgumentHelp("Pictures are sent to this address.", valueName: "url"))
    var url: String?
    @Option(help: ArgumentHelp("How often a picture is taken, e.g. 10s or 5m.", valueName: "interval")) var every:
        String?
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Another setting, such as S3_ENDPOINT_URL or AWS_REGION.", valueName: "KEY=VALUE"),
        completion: SettingsOptions.assignments)
    var settings: [String] = []
    @Option(
        name: .customLong("secret"),
        help: ArgumentHelp(
            "A file with another secret, such as AWS_SECRET_ACCESS_KEY or HTTP_AUTH_TOKEN.", valueName: "KEY=FILE"),
        completion: .list(Key.all.filter(\.mayComeFromFile).map { $0.key + "=" }))
    var secrets: [String] = []
    @Option(
        help: ArgumentHelp(
            "Set up another camera beside the first: /etc/snapshot/NAME.env and snapshot@NAME.timer.", valueName: "name"
        ),
        completion: .custom { _, _, _ in InstanceName.all() })
    var instance: String?
    @Flag(inversion: .prefixedNo, help: "Open the status page to the network, behind a password, or close it.")
    var web: Bool?
    @Flag(help: "Ask nothing.") var yes = false
    @Flag(help: "Ask nothing, and print one JSON object.") var json = false
    @Flag(name: [.short, .long], help: "Say more, on standard error.") var verbose = false

    func run(in context: ProcessContext) throws {
        let log = Log("snapshot", isVerbose: verbose, in: context)
        do {
            if let camera, redactedURL(camera) != camera, camera[...].range(of: "@") != nil {
                throw SetupEnd.failed(
                    Failure(
                        .own(.usage), "refused", "--camera", why: "everybody can see the command line",
                        hint: "--username USER --password-file FILE"))
            }
            let colour = isatty(1) == 1 && context.environment["NO_COLOR"] == nil
            let terminal = Terminal(asks: !yes && !json, prints: !json, colour: colour)
            var setup = try Setup(Target(instance: instance), options, in: context, terminal: terminal, log: log)
            let report = try setup.run()
            writeText(to: 1, json ? "\(JSON.object(report.json))\n" : report.text)
        } catch let failure as Failure {
            try end(failure, log)
        } catch SetupEnd.failed(let failure) {
            try end(failure, log)
        } catch SetupEnd.quit {
            log.write(.notice, "nothing was written")
            // Standard input isn't a terminal: a script gave too few options and has to get an error.
            guard isatty(0) == 1 else {
                log.write(.error, "hint: to be asked nothing, give the answers as options, and --yes")
                throw ExitCode(64)
            }
        }
    }

    private var options: SetupOptions {
        var options = SetupOptions()
        (options.camera, options.username, options.passwordFile) = (camera, username, passwordFile)
        (options.folder, options.bucket, options.url) = (folder, bucket, url)
        (options.interval, options.web) = (every, web)
        (options.settings, options.secretFiles) = (settings, secrets)
        return options
    }

    private func end(_ failure: Failure, _ log: Log) throws {
        log.report(failure)
        if json {
            let object: JSONObject = [
                "ok": false, "exit": Int(failure.exitCode), "error": "\(failure)", "hint": failure.hint,
                "code": failure.code,
            ]
            writeText(to: 1, "\(JSON.object(object))\n")
        }
        throw ExitCode(failure.exitCode)
    }
}
