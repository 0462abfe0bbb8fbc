import Glibc
import SnapshotBase
import SnapshotCheck
import SnapshotProcesses
import SnapshotSettings
import SnapshotState

/// Tries an answer as captures would use it, with the same code and as the same user. It works in a forked copy of
/// this process, since root's rights can't be regained. A camera's trial has its state in a temporary folder; a store's
/// uses the real state, if there is one.
struct Trials {
    let target: Target
    let log: Log

    func run(_ trial: Trial, _ draft: Draft) -> [Finding] {
        let settings: Settings
        let statePath: String
        do throws(Failure) {
            var read = try draft.settings()
            read.readNamedFiles()
            settings = read
            statePath = try stateDirectory(settings)
        } catch { return [.failed("settings", error)] }
        let apart = ForkedWork(lock: nil, stop: settings.context.stop)
        let (lines, ending) = apart.run(until: .after(Trial.longest + .seconds(4))) { reporter in
            for finding in outcome(of: trial, settings, statePath) { reporter.send(finding.line.bytes) }
        }
        let findings = lines.compactMap { JSON($0[...]).flatMap(Finding.init(json:)) }
        guard findings.isEmpty else { return findings }
        let why =
            switch ending {
            case .finished: "the trial ended without a result"
            case .givenUp, .stillHangs: "the trial hangs"
            case .failed(let why): "the trial failed: \(why)"
            }
        return [.failed("setup", .settings("cannot try the \(trial)", why: why))]
    }

    /// Whether the service's user may enter the folder.
    func mayEnter(_ folder: String, _ draft: Draft) -> Bool {
        guard var settings = try? draft.settings(), let statePath = try? stateDirectory(settings) else { return false }
        let fork = ForkedWork(lock: nil, stop: settings.context.stop)
        let (lines, _) = fork.run(until: .after(.seconds(4))) { reporter in
            do throws(Failure) {
                try Owner.become(
                    ofState: statePath, settingsPath: settings.path, makesState: false, &settings.context.environment)
                if access(folder, X_OK) == 0 { reporter.send([UInt8(ascii: "1")]) }
            } catch {}
        }
        return !lines.isEmpty
    }

    private func outcome(of trial: Trial, _ settings: Settings, _ statePath: String) -> [Finding] {
        var settings = settings
        if trial == .camera, let found = tryDevice(settings, statePath) { return found }
        do throws(Failure) {
            try Owner.become(
                ofState: statePath, settingsPath: settings.path, makesState: false, &settings.context.environment)
        } catch { return [.failed("state", error)] }
        if geteuid() == 0 { Child.user.withLock { $0 = .nobody } }
        if trial == .store, fileExists(statePath) { return trial.run(settings, statePath: statePath, log: log) }
        return withFolder(statePath) { trial.run(settings, statePath: $0, log: log) }
            ?? [.failed("state", Failure(.own(.state), "cannot write in", "/tmp", why: "\(SystemError("mkdtemp"))"))]
    }

    /// Tries a camera at this machine by a program that runs as the service's user, in the group that the unit will
    /// get; nil for any other camera. This process stays root, since a user outside that group can't join it.
    private func tryDevice(_ settings: Settings, _ statePath: String) -> [Finding]? {
        guard target.isSystem, let url = try? settings.value(Key.cameraURL)?.text, url.hasPrefix("v4l2:"),
            let account = UserAccount(named: Owner.serviceName)
        else { return nil }
        Child.user.withLock { $0 = account }
        return withFolder(statePath) { Trial.camera.run(settings, statePath: $0, log: log) }
    }

    /// Runs `work` with a temporary state folder that holds the keys pinned so far; nil where none can be created.
    private func withFolder(_ statePath: String, _ work: (String) -> [Finding]) -> [Finding]? {
        var name = Array("/tmp/snapshot-setup-XXXXXX".utf8CString)
        let path = name.withUnsafeMutableBufferPointer { name in
            name.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let path else { return nil }
        defer {
            for name in (try? listDirectory(path)) ?? [] { removeFile("\(path)/\(name)") }
            removeFolder(path)
        }
        if let pins = try? readFile(statePath + "/pins.json", limit: 1 << 20) {
            try? writeDurably([pins], to: path + "/pins.json", temporary: path + "/pins.new", mode: 0o600)
        }
        return work(path)
    }
}

extension [Finding] {
    /// The first finding that keeps pictures from being taken or stored.
    var obstacle: Finding? { first(where: \.isFailure) }
}

extension Finding {
    /// The finding as the failure that ends a setup.
    var failure: Failure {
        let parts =
            text[...].range(of: ": ").map { (text[..<$0.lowerBound], text[$0.upperBound...]) } ?? (text[...], "")
        return Failure(code ?? .own(.settings), String(parts.0), why: String(parts.1), hint: hint)
    }
}
