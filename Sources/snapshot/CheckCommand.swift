import ArgumentParser
import Glibc
import SnapshotBase
import SnapshotCheck
import SnapshotSettings

struct CheckCommand: SnapshotCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Try everything once and say what works.",
        discussion: """
            Settings, state, camera, storage, clock, ffmpeg and units, a line each: ✓ works, ✗ doesn't, – doesn't apply. \
            It ends in 20 s, leaves nothing behind in camera or store, and never disturbs a capture. Under CAMERA_TLS_VERIFY=pin-first a \
            key that is seen for the first time is pinned, as a capture does. Exit code: 0 if all \
            that is necessary works, else that of the first failure: 69 camera; 74 state or spool; 75 store; 77 \
            credentials refused; 78 settings.
            """)

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Forget the camera's TLS key first: it was replaced or reset, and the key it has now is pinned.")
    var forgetPin = false

    @Flag(help: "Store into the folder as it is, though its disk isn't mounted: the pictures have moved.")
    var acceptFolder = false

    func run(in context: ProcessContext) throws {
        var printer = CheckPrinter(json: json, colour: isatty(1) == 1 && context.environment["NO_COLOR"] == nil)
        do throws(Failure) {
            let settings = try options.read(in: context)
            let service = ServiceSettings(settings)
            let check = Check(
                settings, lockedCredentials: service?.lockedCredentials, isServices: service != nil,
                log: options.log(in: context))
            check.run(forgetsPin: forgetPin, acceptsFolder: acceptFolder) { printer.print($0) }
        } catch {
            printer.print(.failed("settings", error))
        }
        throw ExitCode(printer.finish())
    }
}

/// Prints findings as they come, or all as one JSON object.
private struct CheckPrinter {
    let json: Bool
    let colour: Bool
    private let started = Uptime.now()
    private var findings: [Finding] = []

    init(json: Bool, colour: Bool) {
        self.json = json
        self.colour = colour
    }

    mutating func print(_ finding: Finding) {
        findings.append(finding)
        guard !json else { return }
        let name = finding.subject + String(repeating: " ", count: max(0, 9 - finding.subject.count))
        var text: TerminalText = "\(mark(finding)) \(name) \(finding.text)\n"
        if let hint = finding.hint { text += "            hint: \(hint)\n" }
        SnapshotBase.print(descriptor: 1, text)
    }

    private func mark(_ finding: Finding) -> TerminalText {
        let (mark, code): (TerminalText, String) =
            switch finding.mark {
            case .passed: ("✓", "32")
            case .failed: ("✗", finding.isNecessary ? "31;1" : "33")
            case .skipped: ("–", "2")
            }
        return colour ? "\u{1B}[\(code)m\(mark)\u{1B}[0m" : mark
    }

    /// - Returns: the exit code.
    func finish() -> Int32 {
        let failed = findings.filter { $0.mark == .failed && $0.isNecessary }
        let code = failed.first?.exitCode ?? 0
        if json {
            let tenths = ((Uptime.now() - started).seconds * 10).rounded() / 10
            let object: JSONObject = [
                "ok": failed.isEmpty, "exit": Int(code), "seconds": tenths, "checks": findings.map(\.json),
            ]
            SnapshotBase.print(descriptor: 1, "\(object.json)\n")
        } else if failed.isEmpty {
            SnapshotBase.print(descriptor: 1, "all that is necessary works\n")
        } else {
            let names = failed.reduce(into: [String]()) { if !$0.contains($1.subject) { $0.append($1.subject) } }
            SnapshotBase.print(descriptor: 1, "not ready: \(names.joined(separator: ", "))\n")
        }
        return code
    }
}

extension Finding {
    /// The finding as scripts get it.
    fileprivate var json: JSON {
        let object: JSONObject = [
            "name": subject, "result": mark, "necessary": isNecessary, "found": text, "hint": hint, "code": code,
            "facts": facts.isEmpty ? nil : facts,
        ]
        return object.json
    }
}
