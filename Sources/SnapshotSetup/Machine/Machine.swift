import Glibc
import SnapshotBase
import SnapshotCapture
import SnapshotCheck
import SnapshotSettings

/// Applies the answers to this machine: writes the files, starts the units, waits for the first picture.
struct Machine {
    var draft: Draft
    let web: Bool?
    /// Only the page changes: no timer is touched, and no picture is taken.
    let isOnlyPage: Bool
    let trials: Trials
    let terminal: Terminal

    private var target: Target { draft.target }

    init(draft: Draft, web: Bool?, isOnlyPage: Bool, trials: Trials, terminal: Terminal) {
        (self.draft, self.web, self.isOnlyPage, self.trials, self.terminal) = (draft, web, isOnlyPage, trials, terminal)
    }

    /// - Throws: where root sets up the service and its user doesn't exist.
    static func checkServiceUser(of target: Target) throws(Failure) {
        guard target.isSystem, UserAccount(named: Owner.serviceName) == nil else { return }
        throw .settings(
            "cannot set up the service", why: "there is no user \(Owner.serviceName)",
            hint: "install the package, which makes it; or run this as a plain user, for ./.env and cron")
    }

    func setUp() throws(Failure) -> SetupReport {
        var machine = self
        var files = FileSet()
        let password =
            try web.map { isOpen throws(Failure) in
                try Page(target).put(isOpen, into: &files, &machine.draft)
            } ?? nil
        return try machine.setUp(files, password)
    }

    private func setUp(_ files: FileSet, _ password: String?) throws(Failure) -> SetupReport {
        var (files, report) = (files, SetupReport())
        let settings = isOnlyPage ? nil : try CaptureSettings(draft.settings())
        let systemd = Systemd(draft.context.environment)
        let signals = BlockedSignals()
        signals.block()
        defer { signals.release() }
        let made = draft.makesFolder ? try settings?.storeKind.folder.flatMap(makeFolder) : nil
        do throws(Failure) {
            try put(settings, into: &files)
            report.settingsPath = target.settingsPath
            report.written = try files.write()
        } catch {
            made?.undo()
            throw error
        }
        for path in files.unkept {
            terminal.say("the old \(path) isn't kept as \(path).bak: others can write in its folder\n")
        }
        let sequence = settings.map { FirstPicture(draft: draft, settings: $0, systemd: systemd).sequence() } ?? 0
        try startUnits(settings, report.written, systemd)
        if let web { try Page(target).restart(systemd, isOpen: web) }
        // From here on an interruption leaves nothing half done.
        signals.release()
        if let password { report.page = (Page(target).address, password) }
        guard let settings else {
            report.next = webSteps()
            return report
        }
        let first = FirstPicture(draft: draft, settings: settings, systemd: systemd)
        if target.hasSystemd {
            report.timer = "\(target.unit).timer"
            terminal.say("waiting for the first picture of \(target.unit).service\n")
            report.picture = try first.fromTimer(after: sequence)
        } else {
            report.cronLine = cronLine(settings)
            terminal.say("taking the first picture\n")
            report.picture = try first.byHand()
        }
        report.next = steps() + webSteps()
        return report
    }

    // MARK: Files

    private func makeFolder(_ path: String) throws(Failure) -> ServiceFolder.Made? {
        let made = try ServiceFolder(path).make()
        // Check that the service can write there: a home directory may be closed to others, and some file systems have
        // no owners.
        if let obstacle = trials.run(.store, draft).obstacle {
            made?.undo()
            throw obstacle.failure
        }
        return made
    }

    private func put(_ settings: CaptureSettings?, into files: inout FileSet) throws(Failure) {
        var text = draft.text
        guard target.isSystem else {
            for (name, secret) in draft.secrets.entries { text.set(name, to: secret) }
            files.put(text.bytes, at: target.settingsPath, mode: 0o600, keepsOld: true)
            return
        }
        let group = UserAccount(named: Owner.serviceName)?.group ?? 0
        for (name, secret) in draft.secrets.entries {
            if !Draft.unitSecrets.contains(where: { $0.key == name }) {
                text.set(name, to: secret)
            } else {
                let path = "\(target.credentials)/\(name.lowercased())"
                files.put(secret.isEmpty ? nil : Array("\(secret)\n".utf8), at: path, mode: 0o600, folderMode: 0o700)
            }
        }
        for path in draft.keptFiles { try files.restrict(path, to: 0o600) }
        files.put(text.bytes, at: target.settingsPath, mode: 0o640, group: group, folderMode: 0o750, keepsOld: true)
        guard let settings else { return }
        let read = try draft.settings()
        let schedule = try DropIn.schedule(
            target.unit, every: settings.interval, read, spread: target.instance != nil)
        for one in schedule { files.put(Array(one.text.utf8), at: one.path) }
        let sandbox = Sandbox(unit: target.unit)
        let url = try read.value(Key.cameraURL)?.text ?? ""
        put(sandbox.camera(url), "camera", into: &files)
        put(settings.storeKind.folder.flatMap(sandbox.pictures), "pictures", into: &files)
    }

    /// Writes a drop-in of the sandbox; removes one that isn't needed any more, if setup wrote it.
    private func put(_ dropIn: DropIn?, _ name: String, into files: inout FileSet) {
        let path = DropIn(unit: "\(target.unit).service", name: name, text: "").path
        let isOurs = (try? readFile(path, limit: 4096))?.starts(with: Sandbox.heading.utf8) ?? false
        if let dropIn { files.put(Array(dropIn.text.utf8), at: path) } else if isOurs { files.put(nil, at: path) }
    }

    // MARK: Units

    private func startUnits(_ settings: CaptureSettings?, _ written: [String], _ systemd: Systemd) throws(Failure) {
        guard target.hasSystemd else { return }
        if written.contains(where: { $0.hasPrefix("/etc/systemd/") }) { try systemd.run("daemon-reload") }
        guard settings != nil else { return }
        let timer = "\(target.unit).timer"
        try systemd.run("enable", timer)
        // A restart applies a new interval to a running timer at once.
        try systemd.run(written.contains { $0.hasSuffix("\(timer).d/interval.conf") } ? "restart" : "start", timer)
    }

    // MARK: Next steps

    private func cronLine(_ settings: CaptureSettings) -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let folder = getcwd(&path, path.count).map { String(cString: $0) } ?? "."
        return CronLine(
            interval: settings.interval, program: Program.path, folder: target.isSystem ? "/" : folder,
            settingsPath: target.settingsPath
        ).text
    }

    private func steps() -> [(command: String, purpose: String)] {
        let snapshot = target.isSystem ? "sudo snapshot" : "snapshot"
        return [
            ("\(snapshot) health\(target.option)", "how it goes"),
            ("\(snapshot) check\(target.option)", "try everything once and say what works"),
            ("\(snapshot) setup\(target.setupOption)", "change one thing"),
        ]
    }

    private func webSteps() -> [(command: String, purpose: String)] {
        target.isSystem || web != true ? [] : [("snapshot-web", "serves the page while it runs")]
    }
}
